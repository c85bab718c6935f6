"""Compiles `attend` whole on each backend and compares; run as a program by test_compile.py, with n to take every n-th case.

It runs in a process of its own: the shape checks that the suite installs would break the graph.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor

from contract.cases import CASES, Case, options_of, tensors_of
from heedful.attention.attend import attend
from heedful.attention.why import why

ALSO = ("tiled",)  # compiled beside the backend that "auto" takes: the one with operators of its own


def backends(case: Case) -> list[str]:
    """Those that a case is compiled for."""
    reasons = why(*tensors_of(case, torch.float32), **options_of(case, torch.float32))
    return ["auto", *(row.backend for row in reasons if row.backend in ALSO and row.reason is None)]


def compare(case: Case, backend: str) -> None:
    """Compiled against not compiled, outputs and gradients."""
    options = options_of(case, torch.float32) | {"backend": backend}
    inputs = tensors_of(case, torch.float32)
    torch._dynamo.reset()
    compiled = torch.compile(lambda q, k, v: attend(q, k, v, **options), fullgraph=True, backend="aot_eager")
    results = []
    for form in (compiled, lambda q, k, v: attend(q, k, v, **options)):
        out: Any = form(*inputs)
        direction = torch.linspace(-1.0, 1.0, out.numel()).reshape(out.shape)
        gradients: tuple[Tensor, ...] = torch.autograd.grad((out * direction).sum(), inputs)
        results.append((out, *gradients))
    torch.testing.assert_close(*results, atol=1e-5, rtol=1e-4)


def main(every: int) -> None:
    failed, count = 0, 0
    for case in CASES[::every]:
        for backend in backends(case):
            count += 1
            try:
                compare(case, backend)
            except Exception as problem:
                failed += 1
                print(f"{case} on {backend}: {type(problem).__name__}: {str(problem).splitlines()[0]}")
    print(f"{count - failed} of {count} compile whole and agree")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
