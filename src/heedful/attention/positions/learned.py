"""Learned positions: one vector for each place, up to a fixed length (Gehring et al. 2017, 1705.03122; Devlin et al. 2018, 1810.04805)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from heedful.attention.positions.position import Position
from heedful.errors import ShapeError


class Learned(Position):
    """Adds weight[p] to queries and keys, or to embeddings, at position p.

    >>> import torch
    >>> Learned(max_positions=16, d=4)(torch.zeros(2, 10, 4)).shape
    torch.Size([2, 10, 4])

    Args:
        max_positions: places in the table, 0 ... max_positions - 1.
        d: width of what is encoded.

    Raises:
        ShapeError: x has another width, or a position is not in the table.
    """

    name = "learned"

    def __init__(self, max_positions: int, d: int) -> None:
        super().__init__()
        self.max_positions, self.d = max_positions, d
        self.weight = nn.Parameter(0.02 * torch.randn(max_positions, d))

    def forward(self, x: Float[Tensor, "b t m"], positions: Int[Tensor, " t"] | None = None) -> Float[Tensor, "b t m"]:
        """Embeddings with their positions added, 0, 1, 2 ... unless given."""
        if positions is not None:
            return self.rotate(x[None], positions)[0]
        self._width(x)
        if x.shape[1] > self.max_positions:
            raise self._beyond(x.shape[1] - 1)
        return x + self.weight[: x.shape[1]].to(x.dtype)

    def rotate(self, x: Float[Tensor, "b n t d"], positions: Int[Tensor, " t"]) -> Float[Tensor, "b n t d"]:
        """Queries or keys with their positions added."""
        self._width(x)
        self._within(positions)
        return x + F.embedding(positions, self.weight).to(x.dtype)

    def _width(self, x: Float[Tensor, "*rows d"]) -> None:
        if x.shape[-1] != self.d:
            raise ShapeError(f"Learned(d={self.d}) was given width {x.shape[-1]}: build it with d={x.shape[-1]}")

    def _within(self, positions: Int[Tensor, " t"]) -> None:
        # Reading values back would break a compiled graph; there, the lookup itself refuses a place outside the table.
        if torch.compiler.is_compiling() or positions.numel() == 0:
            return
        low, high = (int(end) for end in positions.aminmax())
        if high >= self.max_positions or low < 0:
            raise self._beyond(high if high >= self.max_positions else low)

    def _beyond(self, place: int) -> ShapeError:
        return ShapeError(
            f"position {place} was asked of a learned table of {self.max_positions} positions (0 to {self.max_positions - 1}): "
            f"{'queries no longer than the keys' if place < 0 else f'a shorter input, or max_positions={place + 1},'} would work"
        )

    def extra_repr(self) -> str:
        """What tells one from another."""
        return f"max_positions={self.max_positions}, d={self.d}"
