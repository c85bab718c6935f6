"""Convolutions over time and bands that each halve both: many frames become few, wide ones (Chan et al. 2016, arXiv 1508.01211, §3.1)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import pad, relu

KERNEL = 3


@final
class Stem(nn.Module):
    """Frames (b, t, bands) to (b, ceil(t / strides), width); a causal one reads no frame after those that it stands for.

    >>> stem = Stem(40, (8, 8), 16, causal=True)
    >>> out, lengths = stem(torch.randn(2, 10, 40), torch.tensor([10, 6]))
    >>> out.shape, lengths.tolist()
    (torch.Size([2, 3, 16]), [3, 2])
    """

    def __init__(self, bands: int, channels: tuple[int, ...], width: int, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        read = [1, *channels[:-1]]
        self.layers = nn.ModuleList(nn.Conv2d(a, b, KERNEL, stride=2, padding=(0, 1)) for a, b in zip(read, channels, strict=True))
        for _ in channels:
            bands = (bands + 1) // 2
        self.out = nn.Linear(channels[-1] * bands, width)

    def forward(self, x: Float[Tensor, "b t f"], lengths: Int[Tensor, " b"]) -> tuple[Float[Tensor, "b s m"], Int[Tensor, " b"]]:
        """The frames that are left, and how many of each row are not padding."""
        y = x[:, None]
        around = (KERNEL - 1, 0) if self.causal else (1, 1)
        for layer in self.layers:
            # what is behind a recording's end must be nothing at every layer, or its last frames would hear biases
            y = relu(layer(pad(kept(y, lengths), (0, 0, *around))))
            lengths = (lengths + 1) // 2
            y = y[:, :, : int(lengths.max())]
        return self.out(y.transpose(1, 2).flatten(2)), lengths

    def fresh(self) -> list[Tensor | None]:
        """What a stream begins with: nothing was heard."""
        return [None] * len(self.layers)

    def go_on(self, x: Float[Tensor, "b t f"], held: list[Tensor | None]) -> Float[Tensor, "b s m"]:
        """The next frames of a stream, a multiple of the strides but for the last ones; `held` goes on in place."""
        y = x[:, None]
        for i, layer in enumerate(self.layers):
            before = held[i]
            before = y.new_zeros(y.shape[0], y.shape[1], KERNEL - 1, y.shape[3]) if before is None else before
            whole = torch.cat([before, y], dim=2)
            held[i] = whole[:, :, -(KERNEL - 1) :]
            y = relu(layer(whole))
        out: Tensor = self.out(y.transpose(1, 2).flatten(2))
        return out


def kept(x: Float[Tensor, "b c t f"], lengths: Int[Tensor, " b"]) -> Float[Tensor, "b c t f"]:
    """Nothing where there is padding."""
    return x * (torch.arange(x.shape[2], device=x.device) < lengths[:, None])[:, None, :, None]
