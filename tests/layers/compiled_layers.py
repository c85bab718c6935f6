"""Compiles and exports the attention layer and the block, and compares; run as a program by test_compiled_layers.py.

It runs in a process of its own, in which no signature is checked at run time: such checks would break the graph.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves

from heedful.layers.block import TransformerBlock
from heedful.layers.crossmodal import CrossModalAttention
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.recurrent import PastAttention
from heedful.layers.torch_attention import TorchAttention
from heedful.masks import Causal, Sinks, Window

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "causal rope grouped": lambda: MultiHeadAttention(16, 4, kv_heads=2, mask="causal", position="rope"),
    "window alibi": lambda: MultiHeadAttention(16, 4, mask=Causal() & (Window(3) | Sinks(1)), position="alibi"),
    "cosine qk-norm sinks": lambda: MultiHeadAttention(16, 4, score="cosine", qk_norm=True, sinks=True, temperature=True),
    "transposed sparsemax": lambda: MultiHeadAttention(16, 4, transposed=True, weighting="sparsemax"),
    "memory": lambda: MultiHeadAttention(16, 4, memory=3),
    "additive t5": lambda: MultiHeadAttention(16, 4, score="additive", position="t5", mask="causal"),
    "block": lambda: TransformerBlock(MultiHeadAttention(16, 4, mask="causal", position="rope"), "swiglu", gate="se"),
    "adaptive block": lambda: TransformerBlock(MultiHeadAttention(16, 4, mask="causal"), gate="laa", post_norm=True, norm="layer"),
    "past": lambda: PastAttention(16),
}
OTHERS: dict[str, tuple[Callable[[], nn.Module], tuple[tuple[int, ...], ...]]] = {
    "cross": (lambda: MultiHeadAttention(16, 4, context_dim=6), ((2, 5, 16), (2, 7, 6))),
    "crossmodal": (lambda: CrossModalAttention(16, 8, 4), ((2, 5, 16), (2, 7, 8))),
    "torch": (lambda: TorchAttention(nn.MultiheadAttention(16, 4, batch_first=True)), ((2, 5, 16),) * 3),
}


def compiles(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """One graph, the same outputs, the same gradients of inputs and parameters."""
    torch._dynamo.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    sources = [*(x.requires_grad_() for x in inputs), *layer.parameters()]
    kept = []
    for module in (compiled, layer):
        outputs = [x for x in tree_leaves(module(*inputs)) if isinstance(x, Tensor)]
        kept.append([*outputs, *torch.autograd.grad(sum(x.square().sum() for x in outputs), sources)])
    for found, expected in zip(*kept, strict=True):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def exports(layer: nn.Module, x: Tensor) -> None:
    """One program for every length, and for another length the same output."""
    program = torch.export.export(layer, (x,), dynamic_shapes=({1: torch.export.Dim("t", min=2, max=64)},))
    longer = torch.randn(x.shape[0], 13, x.shape[2])
    torch.testing.assert_close(program.module()(longer), layer(longer), atol=1e-5, rtol=1e-4)


def main() -> None:
    failed = 0
    for name, (build, shapes) in {**{n: (b, ((2, 9, 16),)) for n, b in LAYERS.items()}, **OTHERS}.items():
        torch.manual_seed(0)
        layer, inputs = build().eval(), tuple(torch.randn(shape) for shape in shapes)
        try:
            compiles(layer, inputs)
            if name in LAYERS:
                exports(layer, inputs[0])
        except Exception as problem:
            failed += 1
            print(f"{name}: {type(problem).__name__}: {str(problem).splitlines()[0]}")
    total = len(LAYERS) + len(OTHERS)
    print(f"{total - failed} of {total} layers compile whole and agree; {len(LAYERS)} of them exported for any length")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
