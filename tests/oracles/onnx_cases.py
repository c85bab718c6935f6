"""ONNX's node cases of one operator: inputs, attributes and outputs as its own numpy reference computes them.

`onnx.backend.test.case.node.collect_testcases` serves one operator a process, so it runs in a process of its own, which
is this file as a program: `python onnx_cases.py OPERATOR FILE`.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Case:
    """One node with what goes in and what must come out, by the operator's own names."""

    name: str
    attributes: dict[str, Any]
    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]
    rtol: float
    atol: float


@cache
def collected(operator: str) -> dict[str, Case]:
    """Every case of the operator by name, without the graphs that stand in its place (`_expanded`)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.pickle"
        subprocess.run([sys.executable, __file__, operator, str(path)], check=True)
        return {row["name"]: Case(**row) for row in pickle.loads(path.read_bytes())}


def rows(operator: str) -> list[dict[str, Any]]:
    """The same as plain dictionaries, in a process that has collected nothing yet."""
    from onnx.backend.test.case.node import collect_testcases
    from onnx.helper import get_attribute_value

    found = []
    for case in collect_testcases(operator):
        node = case.model.graph.node[0]
        if "_expanded" in case.name:
            continue
        ((given, expected),) = case.data_sets
        found.append(
            {
                "name": case.name,
                "attributes": {a.name: get_attribute_value(a) for a in node.attribute},
                "inputs": dict(zip(filter(None, node.input), given, strict=True)),
                "outputs": dict(zip(filter(None, node.output), expected, strict=True)),
                "rtol": case.rtol,
                "atol": case.atol,
            }
        )
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # building other operators' cases overflows on purpose
    Path(sys.argv[2]).write_bytes(pickle.dumps(rows(sys.argv[1])))
