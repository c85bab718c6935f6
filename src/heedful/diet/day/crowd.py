"""Thousands of items before they are looked at: the few columns that a first look reads, and pieces made only when one is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final, overload

import numpy as np
from jaxtyping import Float

from heedful.diet.day.piece import Piece


class Kind(NamedTuple):
    """What many items share, by which past reads speak for them."""

    topic: str
    source: str
    viewpoint: str
    depth: str


@dataclass(frozen=True, eq=False)
class Crowd:
    """Items as columns of m rows; the meanings are those of `Piece`."""

    keys: Sequence[str]
    kinds: Sequence[Kind]
    published: Float[np.ndarray, " m"]
    told: Float[np.ndarray, " m"]
    rate: Float[np.ndarray, " m"]

    @classmethod
    def of(cls, pieces: Sequence[Piece]) -> Crowd:
        """The columns of pieces; at hand where these were not made yet."""
        if isinstance(pieces, Pieces):
            return pieces.crowd
        numbers = np.array([(one.published, one.told, one.rate) for one in pieces], dtype=float).reshape(-1, 3)
        kinds = [Kind(one.topic, one.source, one.viewpoint, one.depth) for one in pieces]
        return cls([one.key for one in pieces], kinds, numbers[:, 0], numbers[:, 1], numbers[:, 2])


@final
class Pieces(Sequence[Piece]):
    """Pieces that are made when they are asked for: of 20,000 a morning looks at some hundred.

    >>> from heedful.diet.day.piece import Piece
    >>> some = [Piece("a", "", "s", 2.0, 0.0), Piece("b", "", "s", 3.0, 0.0)]
    >>> waiting = Pieces(Crowd.of(some), some.__getitem__)
    >>> len(waiting), waiting[1].key, [one.minutes for one in waiting[:1]]
    (2, 'b', [2.0])
    """

    def __init__(self, crowd: Crowd, make: Callable[[int], Piece]) -> None:
        self.crowd, self.make = crowd, make

    def __len__(self) -> int:
        return len(self.crowd.keys)

    @overload
    def __getitem__(self, i: int) -> Piece: ...
    @overload
    def __getitem__(self, i: slice) -> list[Piece]: ...
    def __getitem__(self, i: int | slice) -> Piece | list[Piece]:
        return [self.make(j) for j in range(*i.indices(len(self)))] if isinstance(i, slice) else self.make(range(len(self))[i])

    def __iter__(self) -> Iterator[Piece]:
        return map(self.make, range(len(self)))
