"""Compiles and exports attention by tiles and compares; run as a program by test_tiled.py.

It runs in a process of its own: the shape checks that the suite installs would break the graph.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.select import Select
from heedful.attention.summary import SUMMARIES, Summary
from heedful.masks import BigBird, Causal, Documents, Padding, Prefix, Random, Rule, Sinks, Window
from heedful.positions import ALiBi

FORMS: Mapping[str, dict[str, Any]] = {
    "plain": {},
    "band": {"mask": Causal() & (Window(30) | Sinks(2)), "position": ALiBi()},
    "padded": {"mask": Padding(torch.tensor([70, 33])) & Causal(), "softcap": 2.0},
    "packed": {"mask": Documents(torch.arange(70).repeat(2, 1) // 20)},
    "other": {"mask": ~(Random(3, seed=1) | BigBird(8)) | Prefix(torch.tensor([3, 4]))},
    "rule": {"mask": Rule(lambda b, h, q, k: (k <= q) & (k % 2 == h % 2))},
    "dropped": {"dropout": 0.3, "seed": 4, "sink_logits": torch.tensor([0.5, 1.0])},
    "summed": {"mask": Causal(), "summaries": SUMMARIES, "return_weights": Select(heads=[1], queries=[-1, 5])},
}


def tensors(out: Any) -> list[Tensor]:
    """All tensors of a result."""
    if isinstance(out, Tensor):
        return [out]
    if isinstance(out, Summary):
        found = [out.entropy, out.distance, out.sinks, *(out.topk or ()), out.columns, out.lse]
        return [x for x in found if x is not None]
    return [x for part in out for x in tensors(part)]


def check(given: Mapping[str, Any]) -> None:
    """Compiled and exported, against as it is."""

    class Form(torch.nn.Module):
        def forward(self, q: Tensor, k: Tensor, v: Tensor) -> list[Tensor]:
            return tensors(attend(q, k, v, backend="tiled", **given))

    form = Form()
    inputs = tuple(torch.randn(2, 2, 70, 8) for _ in range(3))
    expected = form(*inputs)
    compiled = torch.compile(form, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(*inputs), expected)
    torch.testing.assert_close(torch.export.export(form, inputs).module()(*inputs), expected)
    if "summaries" in given:
        return
    leaves = [x.requires_grad_() for x in inputs]
    gradients = [torch.autograd.grad(run(*inputs)[0].square().sum(), leaves) for run in (compiled, form)]
    torch.testing.assert_close(*gradients)


def drawn() -> None:
    """Without a seed the compiled form draws anew each time."""
    compiled = torch.compile(lambda x: attend(x, x, x, dropout=0.5, backend="tiled"), fullgraph=True, backend="aot_eager")
    x = torch.randn(1, 2, 70, 8)
    assert not torch.equal(compiled(x), compiled(x))


def any_length() -> None:
    """Exported once, for any length."""

    class Form(torch.nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return attend(x, x, x, mask=Causal() & Window(9), backend="tiled")

    program = torch.export.export(Form(), (torch.randn(1, 2, 70, 8),), dynamic_shapes=({2: torch.export.Dim("t", min=2, max=512)},))
    x = torch.randn(1, 2, 131, 8)
    torch.testing.assert_close(program.module()(x), Form()(x))


def main() -> None:
    """One line for each failure; exit code 1 if there is any."""
    failed = 0
    checks = {name: (lambda given=given: check(given)) for name, given in FORMS.items()}
    for name, run in {**checks, "drawn": drawn, "any length": any_length}.items():
        torch._dynamo.reset()
        try:
            run()
        except Exception as problem:
            failed += 1
            print(f"{name}: {type(problem).__name__}: {str(problem).strip()[:1500]}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
