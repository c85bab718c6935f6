"""A rule at given positions: what a cache that let keys go still holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.attention.masks.arguments import integers, whole
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Edges, States, unknown
from heedful.errors import ShapeError


@final
@dataclass(frozen=True, repr=False, eq=False)
class At(Mask):
    """The part's rule where query i stands at q_positions[i] and key j at k_positions[j], out of `length` keys there have been.

    >>> from heedful.masks import Causal, Sinks, Window
    >>> held = torch.tensor([0, 5, 6, 7])
    >>> print((Causal() & (Sinks(1) | Window(2))).at(torch.tensor([6, 7]), held).draw(2, 4))
    ■■■□
    ■□■■
    """

    part: Mask
    q_positions: Int[Tensor, " q"]
    k_positions: Int[Tensor, " k"]
    length: int | None = None

    def __post_init__(self) -> None:
        for name, positions in (("q_positions", self.q_positions), ("k_positions", self.k_positions)):
            object.__setattr__(self, name, integers("At", name, positions, "t"))
        if self.length is None:
            largest = [int(x.max()) for x in (self.q_positions, self.k_positions) if x.numel()]
            object.__setattr__(self, "length", max([0, *(x + 1 for x in largest)]))
        whole("At", "length", self.length, 0)

    @property
    def batch(self) -> int | None:
        """As the part."""
        return self.part.batch

    @property
    def heads(self) -> int | None:
        """As the part."""
        return self.part.heads

    @property
    def stable(self) -> bool:
        """The positions fit one pair of lengths only."""
        return False

    @property
    def home(self) -> torch.device:
        """The device of the positions."""
        return self.k_positions.device

    @property
    def example(self) -> Lengths:
        """The lengths it was made for."""
        return Lengths(len(self.q_positions), len(self.k_positions))

    @property
    def whole_lengths(self) -> Lengths:
        """The lengths the part is asked about."""
        return Lengths(len(self.q_positions), self.length or 0)

    def to(self, device: torch.device) -> Mask:
        """The part and the positions on `device`."""
        return replace(self, part=self.part.to(device), q_positions=self.q_positions.to(device), k_positions=self.k_positions.to(device))

    def over(self, batch: int, heads: int) -> Mask:
        """The part for `batch` sequences and `heads` heads."""
        return replace(self, part=self.part.over(batch, heads))

    def fits(self, lengths: Lengths) -> None:
        """As many queries and keys as there are positions, and a whole that fits the part."""
        super().fits(lengths)
        if lengths != self.example:
            raise ShapeError(f"{self} holds {self.example.q} queries and {self.example.k} keys: found {lengths.q} and {lengths.k}")
        self.part.fits(self.whole_lengths)

    def settled(self, device: torch.device) -> None:
        """As the part."""
        self.part.settled(device)

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The part's answer at the positions."""
        return self.part.allowed(b, h, self.q_positions[q - lengths.offset], self.k_positions[k], self.whole_lengths)

    def blocks(self, b: Index, h: Index, q: Edges, k: Edges, lengths: Lengths) -> States:
        """What the part says of the positions at the edges, where those between are between them."""
        if not (_rising(self.q_positions) and _rising(self.k_positions)):
            return unknown(k)
        rows = Edges(*(self.q_positions[edge - lengths.offset] for edge in q))
        return self.part.blocks(b, h, rows, Edges(*(self.k_positions[edge] for edge in k)), self.whole_lengths)


def _rising(positions: Int[Tensor, " n"]) -> bool:
    return bool((positions[1:] >= positions[:-1]).all())
