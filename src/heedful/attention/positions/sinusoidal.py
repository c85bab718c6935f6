"""Sinusoidal positions: fixed waves added to queries and keys, or to embeddings (Vaswani et al. 2017, 1706.03762, section 3.5)."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor

from heedful.attention.positions.position import Position
from heedful.errors import ShapeError


class Sinusoidal(Position):
    """Adds sin(p / base^(2i/d)) to feature 2i and cos of the same to feature 2i + 1.

    >>> import torch
    >>> Sinusoidal()(torch.zeros(1, 2, 4))
    tensor([[[0.0000, 1.0000, 0.0000, 1.0000],
             [0.8415, 0.5403, 0.0100, 0.9999]]])

    Args:
        d: width of what is encoded; taken from it unless given.
        base: the slowest wave is about 2π · base positions long.

    Raises:
        ShapeError: x has another width than d.
    """

    name = "sinusoidal"

    def __init__(self, d: int | None = None, base: float = 10000.0) -> None:
        super().__init__()
        self.d, self.base = d, base

    def forward(self, x: Float[Tensor, "b t m"], positions: Int[Tensor, " t"] | None = None) -> Float[Tensor, "b t m"]:
        """Embeddings with their positions added, 0, 1, 2 ... unless given."""
        return self._added(x, torch.arange(x.shape[1], device=x.device) if positions is None else positions)

    def rotate(self, x: Float[Tensor, "b n t d"], positions: Int[Tensor, " t"]) -> Float[Tensor, "b n t d"]:
        """Queries or keys with their positions added."""
        return self._added(x, positions)

    def encoding(self, positions: Int[Tensor, " t"], d: int, dtype: torch.dtype) -> Float[Tensor, "t d"]:
        """What is added at each position."""
        power = torch.arange(0, d, 2, device=positions.device).to(dtype) / d
        angle = positions.to(dtype)[:, None] / self.base**power
        return rearrange([angle.sin(), angle.cos()], "two t f -> t (f two)")[:, :d]

    def _added(self, x: Float[Tensor, "*rows t d"], positions: Int[Tensor, " t"]) -> Float[Tensor, "*rows t d"]:
        if self.d is not None and x.shape[-1] != self.d:
            raise ShapeError(f"Sinusoidal(d={self.d}) was given width {x.shape[-1]}: give it the same width, or leave d out")
        wide = torch.promote_types(x.dtype, torch.float32)
        return (x.to(wide) + self.encoding(positions, x.shape[-1], wide)).to(x.dtype)

    def extra_repr(self) -> str:
        """What tells one from another."""
        return f"d={self.d}, base={self.base}"
