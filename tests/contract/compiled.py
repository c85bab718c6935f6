"""Compiles `attend` whole and compares; run as a program by test_compile.py, with n to take every n-th case.

It runs in a process of its own: the shape checks that the suite installs would break the graph.
"""

from __future__ import annotations

import sys

import torch

from contract.cases import CASES, options_of, tensors_of
from heedful.attention.attend import attend


def main(every: int) -> None:
    failed, cases = 0, CASES[::every]
    for case in cases:
        options = options_of(case, torch.float32)
        q, k, v = tensors_of(case, torch.float32)
        torch._dynamo.reset()
        compiled = torch.compile(lambda q, k, v, options=options: attend(q, k, v, **options), fullgraph=True, backend="aot_eager")
        try:
            torch.testing.assert_close(compiled(q, k, v), attend(q, k, v, **options), atol=1e-5, rtol=1e-4)
        except Exception as problem:
            failed += 1
            print(f"{case}: {type(problem).__name__}: {str(problem).splitlines()[0]}")
    print(f"{len(cases) - failed} of {len(cases)} cases compile whole and agree")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
