"""GPT-2's start: N(0, 0.02²) for the layers' matrices, those that write to the stream smaller by √(2 · layers) (Radford et al. 2019)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torch import Tensor, nn

from heedful.layers.block import TransformerBlock
from heedful.layers.mlp import GELU, SwiGLU

WIDTH: Final = 0.02


def start(blocks: Sequence[TransformerBlock], head: nn.Linear | None) -> None:
    """Draw the matrices; mechanisms that hold parameters of their own (scores, gates) keep the start they chose."""
    smaller = WIDTH / (2 * len(blocks)) ** 0.5
    for block in blocks:
        assert isinstance(block.feed, GELU | SwiGLU)
        assert block.attention.in_proj_weight is not None
        draw(block.attention.in_proj_weight, None, WIDTH)
        draw(block.attention.out_proj.weight, block.attention.out_proj.bias, smaller)
        draw(block.feed.up.weight, block.feed.up.bias, WIDTH)
        draw(block.feed.down.weight, block.feed.down.bias, smaller)
    if head is not None:
        draw(head.weight, None, WIDTH)


def draw(weight: Tensor, bias: Tensor | None, width: float) -> None:
    """A matrix N(0, width²), its bias zero."""
    nn.init.normal_(weight, std=width)
    if bias is not None:
        nn.init.zeros_(bias)
