"""Heads that say nothing for a while: what they would add to the stream is zero (head ablation: Michel et al. 2019, arXiv 1905.10650)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.layers.attention import AttentionLayer
from heedful.layers.block import TransformerBlock
from heedful.manage.hosts.ours import layers


@contextmanager
def muted(model: nn.Module, silent: Sequence[tuple[int, int]], among: Sequence[AttentionLayer] | None = None) -> Iterator[None]:
    """Within it the heads (layer, head), counted from 0, add nothing; undone at the end. `among`: the layers that are counted, if not all.

    >>> from heedful.layers.multihead import MultiHeadAttention
    >>> layer, x = MultiHeadAttention(8, 2, bias=False).eval(), torch.ones(1, 3, 8)
    >>> with muted(nn.ModuleList([layer]), [(0, 0), (0, 1)]):
    ...     float(layer(x).detach().abs().max())
    0.0

    Errors: `UsageError` for heads there are not.
    """
    found = [layer for _, layer in layers(model)] if among is None else list(among)
    before = [layer.core for layer in found]
    for number, head in silent:
        if not 0 <= number < len(found) or not 0 <= head < found[number].widths.heads:
            raise UsageError(f"layer {number + 1}, head {head + 1} cannot be muted: the model has no such head")
    try:
        for number in {number for number, _ in silent}:
            found[number].core = hushed(before[number], [head for other, head in silent if other == number])
        yield
    finally:
        for layer, core in zip(found, before, strict=True):
            layer.core = core


def across(blocks: Iterable[nn.Module]) -> list[AttentionLayer]:
    """The layers of transformer blocks that look at another stream."""
    return [block.cross for block in blocks if isinstance(block, TransformerBlock) and block.cross is not None]


def hushed(core: Callable[..., Any], heads: list[int]) -> Callable[..., Any]:
    """The same attention with the output of some heads at zero; their weights are still told."""

    def quiet(q: Tensor, k: Tensor, v: Tensor, **options: Any) -> Any:
        found = core(q, k, v, **options)
        out, *rest = found if isinstance(found, tuple) else (found,)
        kept = torch.ones(out.shape[1], dtype=out.dtype, device=out.device)
        kept[heads] = 0.0
        out = out * kept[:, None, None]
        return (out, *rest) if rest else out

    return quiet
