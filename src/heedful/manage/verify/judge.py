"""The figures of a plan on some batches, under a plan simulated by masks: the loss and its bound, KL, agreement, slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from heedful.manage.verify.bound import Bound, upper_bound
from heedful.manage.verify.pair import Pair

Each = Literal["token", "example"]
SHORT: Final = 0.5  # of a block: a shorter rest joins the block before it


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Pairs, and what is said of them together; `unit` says in words what was resampled."""

    pairs: tuple[Pair, ...]
    bound: Bound
    unit: str

    @property
    def each(self) -> Each:
        """What a place is: a token, or, where every sequence has one place only, an example."""
        return each(self.pairs)

    @property
    def tokens(self) -> int:
        """Places that count."""
        return sum(len(pair.place) for pair in self.pairs)

    @property
    def dense(self) -> float:
        """The mean of the dense model."""
        return float(np.concatenate([pair.dense for pair in self.pairs]).mean())

    @property
    def kl(self) -> float | None:
        """The mean, None without scores."""
        found = np.concatenate([pair.kl for pair in self.pairs])
        return float(found.mean()) if len(found) else None

    @property
    def agreement(self) -> float | None:
        """The share of places where both put the same first, None without scores."""
        found = np.concatenate([pair.agrees for pair in self.pairs])
        return float(found.mean()) if len(found) else None


def judged(pairs: Sequence[Pair], level: float, block: int | None = None, seed: int = 0) -> Judged:
    """The bound over sequences, or over blocks of about `block` places of them."""
    cut = [piece for pair in pairs for piece in blocks(pair.lost, block)]
    bound = upper_bound(np.array([piece.sum() for piece in cut]), np.array([float(len(piece)) for piece in cut]), level, seed)
    return Judged(tuple(pairs), bound, unit(pairs, block, len(cut)))


def blocks(lost: np.ndarray, size: int | None) -> list[np.ndarray]:
    """A sequence's differences whole, or in blocks; a short rest goes with the last.

    >>> [len(piece) for piece in blocks(np.zeros(10), 4)], [len(piece) for piece in blocks(np.zeros(9), 4)]
    ([4, 4, 2], [4, 5])
    """
    if size is None or len(lost) <= size:
        return [lost]
    starts = list(range(size, len(lost), size))
    if len(lost) - starts[-1] < SHORT * size:
        starts.pop()
    return np.split(lost, starts)


def unit(pairs: Sequence[Pair], block: int | None, number: int) -> str:
    """What was resampled, in words."""
    places = sum(len(pair.place) for pair in pairs)
    if block is not None:
        return f"{number:,} blocks of about {block:,} places of {len(pairs):,} sequences"
    if each(pairs) == "example":
        return f"{number:,} example{'s' if number > 1 else ''}"
    return f"{number:,} sequence{'s' if number > 1 else ''} of {places / number:,.0f} places"


def each(pairs: Sequence[Pair]) -> Each:
    """What a place is."""
    return "example" if all(len(pair.place) == 1 for pair in pairs) else "token"
