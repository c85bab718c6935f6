"""Rates to go by where nothing was measured: rough ones, of two cores of a Xeon with AMX; for CUDA guesses from data sheets.

They order the backends; they do not predict this machine's milliseconds. `heedful bench --measure` finds those.
"""

from __future__ import annotations

from collections.abc import Mapping

from heedful.cost.model import Model

Key = tuple[str, str, bool]  # kernel, dtype, with its gradients

# Nanoseconds of a call, a row of queries, an entry of the mask's table, a computed pair, one more beyond those that stay in
# cache, a multiply-add of the products, a byte. Printed by benchmarks/rates.py. The tiles in torch are of one core; flex is torch's
# unfused form on a CPU.
BUILT_IN: Mapping[Key, Model] = {
    ("decode", "bfloat16", False): Model((17400, 142, 0, 0.297, 0, 0.00683, 0.0164)),
    ("decode", "float32", False): Model((11600, 174, 0, 0.841, 0, 0, 0.0181)),
    ("naive", "bfloat16", False): Model((47700, 41.1, 0.3, 0.0339, 0.496, 0.00671, 0.109)),
    ("naive", "bfloat16", True): Model((272000, 102, 0.532, 0, 1.53, 0.0225, 0.176)),
    ("naive", "float32", False): Model((43400, 15.7, 0.291, 0.253, 0.345, 0.00641, 0.0262)),
    ("naive", "float32", True): Model((206000, 65.7, 0.798, 0.0993, 1.93, 0.0198, 0.0806)),
    ("naive masked", "bfloat16", False): Model((179000, 95.6, 0.71, 1.43, 3.15, 0.00514, 0.15)),
    ("naive masked", "bfloat16", True): Model((522000, 148, 0, 2.95, 4.95, 0.0195, 0.227)),
    ("naive masked", "float32", False): Model((172000, 118, 1.59, 1.02, 3.41, 0.00604, 0.0289)),
    ("naive masked", "float32", True): Model((476000, 102, 0.0129, 3.06, 5.38, 0.0177, 0.115)),
    ("sdpa", "bfloat16", False): Model((19400, 30.9, 0.0605, 0.126, 0.0689, 0.000885, 0.0259)),
    ("sdpa", "bfloat16", True): Model((304000, 754, 1.46, 0, 0.787, 0.00379, 0.503)),
    ("sdpa", "float32", False): Model((10300, 18.7, 0, 0.221, 0, 0.00636, 0.0228)),
    ("sdpa", "float32", True): Model((83400, 0, 0.978, 0.453, 0.035, 0.0227, 0.216)),
    ("sdpa causal", "bfloat16", False): Model((20400, 32.8, 0.0885, 0.134, 0, 0.000494, 0.0481)),
    ("sdpa causal", "bfloat16", True): Model((295000, 904, 0.885, 0, 0.273, 0.00317, 0.4)),
    ("sdpa causal", "float32", False): Model((16500, 0, 0.185, 0.154, 0, 0.00403, 0.0831)),
    ("sdpa causal", "float32", True): Model((79200, 0, 0.947, 0.278, 0, 0.0153, 0.395)),
    ("sdpa dense", "bfloat16", False): Model((27500, 92.7, 1.2, 0.204, 0, 0.00063, 0.0426)),
    ("sdpa dense", "bfloat16", True): Model((2.12e06, 0, 1.76, 1.28, 0, 0.00544, 0)),
    ("sdpa dense", "float32", False): Model((0, 160, 1.24, 0.228, 0, 0.00584, 0.0286)),
    ("sdpa dense", "float32", True): Model((935000, 0, 2.49, 0.737, 0, 0.0222, 0)),
    ("tiles", "bfloat16", False): Model((48200, 2.06, 0.0192, 0.0589, 0, 0.000766, 0.0678)),
    ("tiles", "bfloat16", True): Model((193000, 4.06, 0.0419, 0.274, 0, 0.00369, 0.208)),
    ("tiles", "float32", False): Model((36700, 0, 0.154, 0, 0.268, 0.00336, 0.0935)),
    ("tiles", "float32", True): Model((163000, 0, 0.000354, 0.26, 0, 0.0196, 0.156)),
    ("tiles masked", "bfloat16", False): Model((66700, 14.2, 0.00119, 0.0306, 0, 0.00103, 0.0383)),
    ("tiles masked", "bfloat16", True): Model((232000, 14.9, 0.0309, 0.254, 0, 0.00375, 0.166)),
    ("tiles masked", "float32", False): Model((69600, 15.2, 0, 0, 0, 0.00644, 0.00136)),
    ("tiles masked", "float32", True): Model((203000, 9.57, 0.0299, 0.0522, 0.0901, 0.0211, 0.106)),
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
