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
    ("decode", "bfloat16", False): Model((21600, 1380, 11.6, 0.732, 0, 0.0187, 0.028)),
    ("decode", "float32", False): Model((18800, 213, 1.3, 2.31, 0, 0, 0.0456)),
    ("naive", "bfloat16", False): Model((42500, 109, 0.902, 0, 1.97, 0.0117, 0.246)),
    ("naive", "bfloat16", True): Model((271000, 204, 1.04, 0, 5.84, 0.0382, 0.519)),
    ("naive", "float32", False): Model((56100, 0, 0, 0.996, 4, 0.0122, 0.0527)),
    ("naive", "float32", True): Model((252000, 192, 0, 0, 5.15, 0.043, 0.0182)),
    ("naive masked", "bfloat16", False): Model((117000, 371, 2.33, 1.93, 7.8, 0.013, 0.263)),
    ("naive masked", "bfloat16", True): Model((425000, 397, 1, 5.31, 11.3, 0.0428, 0.434)),
    ("naive masked", "float32", False): Model((136000, 124, 0.315, 5.31, 6.7, 0.00118, 0.0569)),
    ("naive masked", "float32", True): Model((272000, 924, 5.36, 1.07, 15.2, 0.0459, 0)),
    ("sdpa", "bfloat16", False): Model((12000, 102, 0.306, 0.225, 0.141, 0.0016, 0.0396)),
    ("sdpa", "bfloat16", True): Model((240000, 1270, 0.448, 0, 2.1, 0.00621, 1.2)),
    ("sdpa", "float32", False): Model((0, 87, 0.121, 0.295, 0, 0.0117, 0.0418)),
    ("sdpa", "float32", True): Model((87100, 207, 0, 0, 0.435, 0.0466, 0.148)),
    ("sdpa causal", "bfloat16", False): Model((33800, 109, 0.0259, 0.255, 0, 0.0011, 0.053)),
    ("sdpa causal", "bfloat16", True): Model((244000, 1580, 0.229, 0, 0.933, 0.0055, 1.08)),
    ("sdpa causal", "float32", False): Model((18900, 95.9, 0.0458, 0.183, 0, 0.00776, 0.112)),
    ("sdpa causal", "float32", True): Model((62300, 236, 0.416, 0.316, 0, 0.0298, 0.434)),
    ("sdpa dense", "bfloat16", False): Model((81400, 154, 2.33, 0.44, 0, 0.00131, 0.0435)),
    ("sdpa dense", "bfloat16", True): Model((3.41e06, 0, 1.63, 2.83, 0, 0.0123, 0)),
    ("sdpa dense", "float32", False): Model((0, 114, 2.51, 0.357, 0, 0.0128, 0.0496)),
    ("sdpa dense", "float32", True): Model((2.55e06, 0, 1.21, 1.05, 0, 0.0513, 0)),
    ("tiles", "bfloat16", False): Model((66100, 17.5, 0.01, 0.0959, 0, 0.00151, 0.143)),
    ("tiles", "bfloat16", True): Model((286000, 59.6, 0, 0.471, 0, 0.00761, 0.371)),
    ("tiles", "float32", False): Model((32300, 0, 0.272, 0, 0.432, 0.00767, 0.224)),
    ("tiles", "float32", True): Model((233000, 8.34, 0, 0.398, 0.0432, 0.0402, 0.244)),
    ("tiles masked", "bfloat16", False): Model((104000, 41.3, 0, 0, 0.0936, 0.00193, 0.0637)),
    ("tiles masked", "bfloat16", True): Model((346000, 71.6, 0.0191, 0.109, 0.399, 0.00808, 0.418)),
    ("tiles masked", "float32", False): Model((114000, 53, 0, 0, 0.121, 0.0118, 0.0018)),
    ("tiles masked", "float32", True): Model((244000, 110, 0.0981, 0, 0.304, 0.0425, 0.137)),
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
