"""Blocks of attention and convolution between two halves of a feed-forward layer (Gulati et al. 2020, arXiv 2005.08100, §2).

Layer norms stand where the paper's batch norms do, so that a stream of one recording is heard as a batch is.
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import glu, pad, silu

from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.padding import Padding
from heedful.attention.masks.window import Window
from heedful.layers.cache.cache import Cache
from heedful.layers.mlp import mlp
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.speech.encoder import Encoder, Held
from heedful.spec.listener import ConformerSpec


class BlockHeld:
    """What a block of a stream remembers: keys and values, and the frames that the next convolution begins with."""

    def __init__(self, keys: Cache | None) -> None:
        self.keys = keys
        self.frames: Tensor | None = None


@final
class Convolution(nn.Module):
    """x -> W silu(norm(depthwise(glu(V norm(x)))))."""

    def __init__(self, width: int, kernel: int, causal: bool) -> None:
        super().__init__()
        self.around = (kernel - 1, 0) if causal else (kernel // 2, kernel // 2)
        self.norm, self.middle = nn.LayerNorm(width), nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(width, width)
        self.depthwise = nn.Conv1d(width, width, kernel, groups=width)

    def forward(self, x: Float[Tensor, "b t m"], real: Tensor | None, held: BlockHeld | None = None) -> Float[Tensor, "b t m"]:
        """The branch of the stream x."""
        y = glu(self.up(self.norm(x)))
        y = y if real is None else y * real[..., None]
        if held is None:
            y = pad(y, (0, 0, *self.around))
        else:
            before = y.new_zeros(y.shape[0], self.around[0], y.shape[2]) if held.frames is None else held.frames
            y = torch.cat([before, y], dim=1)
            held.frames = y[:, y.shape[1] - self.around[0] :]
        y = self.depthwise(y.transpose(1, 2)).transpose(1, 2)
        out: Tensor = self.down(silu(self.middle(y)))
        return out


@final
class Block(nn.Module):
    """x + ½ feed, + attention, + convolution, + ½ feed, and a norm."""

    def __init__(self, spec: ConformerSpec, dropout: float) -> None:
        super().__init__()
        width = spec.width
        mask: Mask | None = (Causal() if spec.window is None else Window(spec.window)) if spec.causal else None
        self.window = spec.window
        self.attention = MultiHeadAttention(width, spec.heads, position="rope", mask=mask, dropout=dropout)
        self.convolution = Convolution(width, spec.kernel, spec.causal)
        self.feeds = nn.ModuleList(mlp("gelu", width, spec.inner) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Float[Tensor, "b t m"], mask: Mask | None = None, real: Tensor | None = None, held: BlockHeld | None = None
    ) -> Float[Tensor, "b t m"]:
        """The stream one block on."""
        x = x + 0.5 * self.dropout(self.feeds[0](self.norms[0](x)))
        x = x + self.dropout(self.attention(self.norms[1](x), mask=mask, cache=None if held is None else held.keys))
        x = x + self.dropout(self.convolution(x, real, held))
        x = x + 0.5 * self.dropout(self.feeds[1](self.norms[2](x)))
        out: Tensor = self.norms[3](x)
        return out

    def fresh(self) -> BlockHeld:
        """Nothing was heard."""
        return BlockHeld(self.attention.new_cache(self.window))


@final
class Conformer(Encoder):
    """The blocks one after the other.

    >>> spec = ConformerSpec(width=16, layers=2, heads=2, kernel=3, causal=True, window=4)
    >>> hears, x = Conformer(spec, 0.0).eval(), torch.randn(1, 10, 16)
    >>> held = hears.fresh()
    >>> with torch.no_grad():
    ...     streamed = torch.cat([hears.go_on(part, held) for part in x.split(3, dim=1)], dim=1)
    ...     torch.allclose(streamed, hears(x, torch.tensor([10])), atol=1e-5)
    True
    """

    def __init__(self, spec: ConformerSpec, dropout: float) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(spec, dropout) for _ in range(spec.layers))

    def forward(self, x: Float[Tensor, "b t m"], lengths: Int[Tensor, " b"]) -> Float[Tensor, "b t m"]:
        """What each frame comes to."""
        whole = bool((lengths == x.shape[1]).all())
        real = None if whole else torch.arange(x.shape[1], device=x.device) < lengths[:, None]
        mask = None if whole else Padding(lengths)
        for block in self.blocks:
            x = block(x, mask, real)
        return x

    def fresh(self) -> Held:
        """A memory for every block."""
        return [block.fresh() for block in self.blocks if isinstance(block, Block)]

    def go_on(self, x: Float[Tensor, "b t m"], held: Held) -> Float[Tensor, "b t m"]:
        """The next frames of a stream."""
        for block, own in zip(self.blocks, held, strict=True):
            x = block(x, held=own)
        return x
