"""Compiles weightings, positions and linear attention whole, gradients included; run as a program by test_compile_families.py.

It runs in a process of its own: the shape checks that the suite installs would break the graph.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from heedful.attention.mechanism import Shape
from heedful.linear import FEATURE_MAPS, Elu1, FeatureMap, linear_attention, step
from heedful.positions import POSITIONS, Position, RoPE
from heedful.weightings import WEIGHTINGS, Sigmoid, TopK, Weighting

SHAPE = Shape(heads=4, kv_heads=4, d=8, q=4, k=4)
EXPORTED = ("rope", "alibi", "entmax15", "elu1-chunked")
Form = Callable[[Tensor, Tensor, Tensor], Tensor]


def weighed(weighting: Weighting) -> Form:
    """Scores above zero, some keys and a whole row blocked."""
    shut = torch.zeros(4, 4, dtype=torch.bool)
    shut[1], shut[2, ::2] = True, True
    return lambda q, k, v: weighting((q @ k.mT).exp().masked_fill(shut, -torch.inf)) @ v


def placed(position: Position) -> Form:
    """Rotated products and the bias."""

    def run(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        at = torch.arange(q.shape[2])
        bias = position.bias(4, at, at)
        products = position.rotate(q, at) @ position.rotate(k, at).mT
        return (products if bias is None else products + bias) @ v

    return run


def linear(phi: FeatureMap, form: str, causal: bool) -> Form:
    """Linear attention in one of its forms."""
    return lambda q, k, v: linear_attention(q, k, v, feature_map=phi, form=form, causal=causal)


def forms() -> Iterator[tuple[str, Form]]:
    """Everything that has to compile, by name."""
    for row in WEIGHTINGS:
        yield row.name, weighed(row.build(SHAPE, {}))
    yield "sigmoid-log-length", weighed(Sigmoid(bias="log_length"))
    yield "topk-straight-through", weighed(TopK(3, straight_through=True))
    for place in POSITIONS:
        yield place.name, placed(place.build(SHAPE, {}))
    yield "rope-interleaved-partial", placed(RoPE(interleaved=True, fraction=0.5))
    yield "rope-yarn", placed(RoPE(scaling={"name": "yarn", "factor": 4.0, "original_length": 64}))
    for kernel in FEATURE_MAPS:
        phi = kernel.build(SHAPE, {})
        for form, causal in (("naive", True), ("parallel", False), ("chunked", True)):
            yield f"{kernel.name}-{form}", linear(phi, form, causal)
        yield f"{kernel.name}-step", lambda q, k, v, p=phi: step(q[:, :, 0], k[:, :, 0], v[:, :, 0], feature_map=p)[0]
    yield "elu1-parallel-causal", linear(Elu1(), "parallel", True)
    yield "elu1-recurrent", linear(Elu1(), "recurrent", True)


def check(run: Form) -> None:
    """The compiled form against the form itself, outputs and gradients."""
    inputs = tuple(torch.randn(2, 4, 4, 8, requires_grad=True) for _ in range(3))
    compiled = torch.compile(run, fullgraph=True, backend="aot_eager")
    found, expected = compiled(*inputs), run(*inputs)
    direction = torch.randn_like(expected)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(*(torch.autograd.grad((out * direction).sum(), inputs, materialize_grads=True) for out in (found, expected)))


def exports(run: Form) -> None:
    """The exported program against the form itself."""

    class Exported(torch.nn.Module):
        def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            return run(q, k, v)

    inputs = tuple(torch.randn(2, 4, 4, 8) for _ in range(3))
    torch.testing.assert_close(torch.export.export(Exported(), inputs).module()(*inputs), run(*inputs))


def main() -> None:
    """One line for each failure; exit code 1 if there is any."""
    torch.manual_seed(0)
    failed = 0
    for name, run in forms():
        torch._dynamo.reset()
        try:
            check(run)
            if name in EXPORTED:
                exports(run)
        except Exception as problem:
            failed += 1
            print(f"{name}: {type(problem).__name__}: {str(problem).strip().splitlines()[0]}")
    print(f"{failed} of {sum(1 for _ in forms())} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
