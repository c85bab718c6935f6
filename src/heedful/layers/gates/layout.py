"""How features lie in a tensor: streams (b, t, m), 1-d (b, c, l) and 2-d (b, c, h, w), all read as places times channels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.errors import ShapeError, UsageError, unknown

Layout = Literal["stream", "1d", "2d"]

AXES: dict[Layout, str] = {"stream": "(b, t, m)", "1d": "(b, c, l)", "2d": "(b, c, h, w)"}


@dataclass(frozen=True, slots=True)
class Places:
    """Features as places times channels, `x` (b, n, c), with the way back to the layout they came in.

    `real` (b, n) says which places are not padding (None: all); the others hold zeros. `grid` is (t,), (l,) or (h, w).
    """

    x: Float[Tensor, "b n c"]
    real: Bool[Tensor, "b n"] | None
    layout: Layout
    grid: tuple[int, ...]

    def back(self, y: Float[Tensor, "b y_n y_c"]) -> Float[Tensor, "..."]:
        """`y`, (b, n or 1, c or 1), in the layout of the features: it broadcasts against them."""
        if self.layout == "stream":
            return y
        if self.layout == "1d":
            return rearrange(y, "b n c -> b c n")
        return rearrange(y, "b (h w) c -> b c h w", h=self.grid[0] if y.shape[1] > 1 else 1)


def check_layout(layout: str, causal: bool) -> None:
    """Refuse a layout that is none, and a time order over an image."""
    if layout not in get_args(Layout):
        raise unknown("layout", layout, get_args(Layout))
    if causal and layout == "2d":
        raise UsageError("causal=True needs an axis of time, and layout='2d' has none: layout 'stream' or '1d' would work")


def places(x: Float[Tensor, "..."], mask: Bool[Tensor, "..."] | None, dim: int, layout: Layout) -> Places:
    """`x` of width `dim` as places times channels, masked places set to zero (so that NaN in padding goes nowhere)."""
    channels = x.shape[-1] if layout == "stream" else x.shape[1] if x.dim() > 1 else 0
    if x.dim() != (4 if layout == "2d" else 3) or channels != dim:
        raise ShapeError(f"a gate of width {dim} for layout {layout!r} reads features {AXES[layout]}, found {tuple(x.shape)}")
    grid = tuple(x.shape[1:2] if layout == "stream" else x.shape[2:])
    if 0 in grid:
        raise ShapeError(f"a gate needs at least one place, found features {tuple(x.shape)}")
    flat = x if layout == "stream" else rearrange(x, "b c ... -> b (...) c")
    if mask is None:
        return Places(flat, None, layout, grid)
    real = flat_mask(mask, (x.shape[0], *grid))
    return Places(flat.masked_fill(~real.unsqueeze(-1), 0.0), real, layout, grid)


def flat_mask(mask: Bool[Tensor, "..."], shape: tuple[int, ...]) -> Bool[Tensor, "b n"]:
    """The mask over places (b, n), after a look at its form."""
    if mask.dtype != torch.bool or tuple(mask.shape) != shape:
        raise ShapeError(f"a gate's mask is bool {shape}, True at real places; found {mask.dtype} {tuple(mask.shape)}")
    return rearrange(mask, "b ... -> b (...)")
