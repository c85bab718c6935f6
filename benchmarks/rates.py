"""The built-in rates of `heedful.cost.rates`, from what was measured on this machine with so many threads:

heedful bench --measure --threads 2
python benchmarks/rates.py --threads 2        # prints the rows of BUILT_IN, and how far each kernel's rates are off
"""

from __future__ import annotations

import argparse
import math
import statistics
from collections.abc import Iterator

import torch

from heedful.cost.model import Model, fitted
from heedful.cost.table import Points, current


def rows(points: Points) -> Iterator[str]:
    """A row of the table for each kernel, dtype and pass."""
    for key, some in sorted(points.items()):
        rates = tuple(float(f"{rate:.3g}") for rate in fitted(some).rates)
        off = [abs(math.log(Model(rates).milliseconds(point.sizes) / point.milliseconds)) for point in some]
        kernel, dtype, backward = key
        shown = ", ".join(f"{rate:g}" for rate in rates)
        far = f"{len(some)} points, off by {math.expm1(statistics.median(off)):.0%}, at most {math.expm1(max(off)):.0%}"
        yield f'    ("{kernel}", "{dtype}", {backward}): Model(({shown})),  # {far}'


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int)
    asked = parser.parse_args()
    if asked.threads:
        torch.set_num_threads(asked.threads)
    points = current().points
    if not points:
        raise SystemExit("nothing was measured here with so many threads: heedful bench --measure")
    for row in rows(points):
        print(row)


if __name__ == "__main__":
    main()
