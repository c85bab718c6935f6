"""Rates to go by where nothing was measured: rough ones, of one core of a Xeon with AMX; for CUDA guesses from data sheets.

They order the backends; they do not predict this machine's milliseconds. `heedful bench --measure` finds those.
"""

from __future__ import annotations

from collections.abc import Mapping

from heedful.cost.model import Model

Key = tuple[str, str, bool]  # kernel, dtype, with its gradients

# Nanoseconds of a call, a row of queries, an entry of the mask's table, a computed pair, one more beyond those that stay in
# cache, a multiply-add of the products, a byte. Printed by benchmarks/rates.py; flex is torch's unfused form on a CPU.
BUILT_IN: Mapping[Key, Model] = {
    ("decode", "bfloat16", False): Model((9930, 459, 0, 0.891, 0, 0.00511, 0.0363)),
    ("decode", "float32", False): Model((5090, 0, 0, 0.866, 0, 0, 0.0434)),
    ("naive", "bfloat16", False): Model((17800, 85.3, 0.422, 0, 1.16, 0.0144, 0.224)),
    ("naive", "bfloat16", True): Model((197000, 256, 0.704, 0, 3.85, 0.0431, 0.347)),
    ("naive", "float32", False): Model((30200, 48, 0.305, 0.125, 1.05, 0.0125, 0.0559)),
    ("naive", "float32", True): Model((167000, 102, 0.519, 0, 4.35, 0.0418, 0.184)),
    ("naive masked", "bfloat16", False): Model((96700, 212, 1.34, 2.7, 5.98, 0.0141, 0.26)),
    ("naive masked", "bfloat16", True): Model((386000, 314, 0, 5.61, 10.6, 0.0415, 0.581)),
    ("naive masked", "float32", False): Model((105000, 122, 0.532, 3.39, 4.27, 0.0133, 0.0583)),
    ("naive masked", "float32", True): Model((308000, 325, 1.3, 5.65, 11.2, 0.0332, 0.214)),
    ("sdpa", "bfloat16", False): Model((9820, 59.7, 0.0338, 0.335, 0.113, 0.00177, 0.0402)),
    ("sdpa", "bfloat16", True): Model((129000, 1650, 0.423, 0, 1.97, 0.00608, 0.867)),
    ("sdpa", "float32", False): Model((0, 56.5, 0.173, 0.107, 0.116, 0.0115, 0.0428)),
    ("sdpa", "float32", True): Model((25000, 27.2, 0, 0.32, 0.507, 0.0436, 0.411)),
    ("sdpa causal", "bfloat16", False): Model((14600, 71.2, 0, 0.312, 0, 0.00101, 0.0706)),
    ("sdpa causal", "bfloat16", True): Model((140000, 1810, 0.106, 0, 0.806, 0.00529, 0.817)),
    ("sdpa causal", "float32", False): Model((11200, 0, 0, 0.299, 0, 0.00712, 0.159)),
    ("sdpa causal", "float32", True): Model((22700, 21.1, 0, 0.557, 0, 0.0287, 0.643)),
    ("sdpa dense", "bfloat16", False): Model((0, 126, 2.33, 0.482, 0, 0.0014, 0.0672)),
    ("sdpa dense", "bfloat16", True): Model((2.5e+06, 0, 1.44, 3.1, 0, 0.0103, 0)),
    ("sdpa dense", "float32", False): Model((0, 215, 2.2, 0.19, 0.274, 0.0115, 0.0527)),
    ("sdpa dense", "float32", True): Model((181000, 286, 2.06, 0.843, 0, 0.0485, 0)),
    ("tiles", "bfloat16", False): Model((37100, 1.06, 0.00106, 0.125, 0.0284, 0.00146, 0.135)),
    ("tiles", "bfloat16", True): Model((163000, 39.6, 0, 0.57, 0.0316, 0.00715, 0.339)),
    ("tiles", "float32", False): Model((15700, 0, 0.54, 0, 0.642, 0.00438, 0.2)),
    ("tiles", "float32", True): Model((128000, 13.2, 0.224, 0.353, 0.251, 0.0367, 0.329)),
    ("tiles masked", "bfloat16", False): Model((55400, 35.6, 0.0111, 0.00179, 0.0787, 0.00211, 0.0665)),
    ("tiles masked", "bfloat16", True): Model((210000, 47.4, 0.0342, 0.328, 0.155, 0.00748, 0.346)),
    ("tiles masked", "float32", False): Model((61100, 22.1, 0, 0, 0, 0.0127, 0.00271)),
    ("tiles masked", "float32", True): Model((157000, 2.3, 0.00499, 0.243, 0.542, 0.0367, 0.288)),
    ("torch tiles", "bfloat16", False): Model((157000, 48.9, 0, 0.553, 0.362, 0.0123, 0.24)),
    ("torch tiles", "bfloat16", True): Model((500000, 256, 0.196, 2.32, 0, 0.0495, 0.56)),
    ("torch tiles", "float32", False): Model((160000, 59.4, 0, 0.701, 0.221, 0.014, 0.0599)),
    ("torch tiles", "float32", True): Model((487000, 102, 0, 2.43, 0, 0.0472, 0.359)),
    ("torch tiles masked", "bfloat16", False): Model((128000, 371, 0.443, 0.737, 0.232, 0.0143, 0.313)),
    ("torch tiles masked", "bfloat16", True): Model((412000, 1100, 1.94, 0.399, 3, 0.0592, 0.723)),
    ("torch tiles masked", "float32", False): Model((98500, 473, 0.554, 0.481, 0.517, 0.0143, 0.141)),
    ("torch tiles masked", "float32", True): Model((361000, 731, 1.01, 2.83, 0, 0.0461, 0.64)),
    ("flex", "bfloat16", False): Model((2.5e6, 0, 0, 30, 0, 0, 0)),
    ("flex", "float32", False): Model((2.5e6, 0, 0, 30, 0, 0, 0)),
}
GUESSED: Mapping[Key, Model] = {
    ("sdpa", "bfloat16", False): Model((1.5e4, 0, 0, 0, 0, 4e-6, 4e-4)),
    ("sdpa causal", "bfloat16", False): Model((1.5e4, 0, 0, 0, 0, 2.5e-6, 4e-4)),
    ("sdpa dense", "bfloat16", False): Model((6e4, 0, 4e-3, 0, 0, 1.2e-5, 4e-4)),
    ("varlen", "bfloat16", False): Model((3e4, 0, 0, 0, 0, 4e-6, 4e-4)),
    ("decode", "bfloat16", False): Model((8e4, 0, 4e-3, 0, 0, 4e-6, 4e-4)),
    ("flex", "bfloat16", False): Model((8e4, 0, 0, 0, 0, 5e-6, 4e-4)),
    ("torch tiles", "bfloat16", False): Model((4e5, 1e-1, 0, 2e-5, 0, 1e-5, 4e-4)),
    ("torch tiles masked", "bfloat16", False): Model((5e5, 1e-1, 0, 3e-5, 0, 1e-5, 4e-4)),
    ("naive", "bfloat16", False): Model((1.2e5, 0, 0, 1.5e-2, 0, 1e-5, 4e-4)),
    ("naive masked", "bfloat16", False): Model((1.5e5, 0, 0, 2e-2, 0, 1e-5, 4e-4)),
}
TRAINING = 3.5  # times as long with gradients, where that is all there is to go by
ALIKE = {"float64": ("float32", 2.0), "float16": ("bfloat16", 1.0), "bfloat16": ("float32", 1.0), "float32": ("bfloat16", 1.0)}
