"""An item as a reader's model sees it: ten numbers, each with a name that can be said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from heedful.diet.day.piece import DAY, Past, Piece

NAMES: Final = ("start", "topic", "source", "viewpoint", "depth", "words", "fresh", "retold", "quiet", "length")
DOUBT: Final = 2.0  # reads of no opinion that a mean starts from
NEAR: Final = 0.1  # squared likeness to no past read in particular
HALF: Final = 2.0  # days after which news is half as fresh
DEPTHS: Final = {"brief": 0.0, "article": 0.5, "long": 1.0}
FACETS: Final[tuple[Callable[[Piece], str], ...]] = (
    lambda one: one.topic,
    lambda one: one.source,
    lambda one: one.viewpoint,
    lambda one: one.depth,
)


@dataclass(frozen=True)
class Asked:
    """Items (m,) that are asked for, against past reads (n,).

    Arguments:
        times: (m,) seconds since 1970 at which each item is or was looked at.
        like: (m, n) likeness of their words, 0 to 1.
        length: 0 for a reader who wants short items, 1 for long ones.
    """

    pieces: Sequence[Piece]
    times: Float[np.ndarray, " m"]
    pasts: Sequence[Past]
    like: Float[np.ndarray, "m n"]
    length: float = 0.5

    @cached_property
    def rewards(self) -> Float[np.ndarray, " n"]:
        """What the past reads were worth a minute."""
        return np.array([past.reward for past in self.pasts])


class Pull(NamedTuple):
    """A feature that remembers: (m, n) how much each past read counts, and as how much of no opinion it starts from."""

    shares: Float[np.ndarray, "m n"]
    doubt: float


def features(asked: Asked, keep: Bool[np.ndarray, "m n"] | None = None) -> Float[np.ndarray, "m f"]:
    """(m, 10) the numbers behind each item's value, by `NAMES`; each item sees the past reads that `keep` leaves it.

    `topic` to `depth` are what past reads of the same were worth, drawn to 0 as by two reads of no opinion; `words` is what past reads
    were worth in proportion to squared likeness; `fresh` halves every two days.
    """
    rewards = asked.rewards
    found = [np.ones(len(asked.pieces))]
    for pull in pulls(asked):
        kept = pull.shares if keep is None else pull.shares * keep
        found.append(kept @ rewards / (kept.sum(1) + pull.doubt))
    numbers = np.array([(one.published, one.told, one.rate) for one in asked.pieces], dtype=float).reshape(-1, 3)
    found += [fresh(asked.times, numbers[:, 0]), retold(numbers[:, 1]), quiet(numbers[:, 2])]
    found.append(np.array([1 - abs(DEPTHS.get(one.depth, 0.5) - asked.length) for one in asked.pieces]))
    return np.stack(found, axis=1)


def fresh(times: Float[np.ndarray, " m"], published: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """1 for what appears now, half of that for every two days."""
    found: Float[np.ndarray, " m"] = 0.5 ** (np.maximum(times - published, 0.0) / DAY / HALF)
    return found


def retold(told: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """0 for a story of one item, 1 for one of sixteen."""
    found: Float[np.ndarray, " m"] = np.minimum(np.log2(np.maximum(told, 1)) / 4, 1.0)
    return found


def quiet(rate: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """Near 1 for a source of few items a week."""
    return 1 / (1 + rate)


def without_each(asked: Asked) -> Float[np.ndarray, "n f"]:
    """(n, 10) the features of the one item that is asked for, had each past read in turn not been."""
    whole, rewards = features(asked), asked.rewards
    found = np.repeat(whole, len(rewards), axis=0)
    for column, pull in enumerate(pulls(asked), start=1):
        shares = pull.shares[0]
        found[:, column] = (shares @ rewards - shares * rewards) / (shares.sum() - shares + pull.doubt)
    return found


def pulls(asked: Asked) -> list[Pull]:
    """How much each past read counts in `topic` to `words`, the five features that remember."""
    pasts = [past.piece for past in asked.pasts]
    found = [Pull((codes[0][:, None] == codes[1][None, :]).astype(np.float64), DOUBT) for codes in (coded(f, asked, pasts) for f in FACETS)]
    return [*found, Pull(asked.like**2, NEAR)]


def coded(facet: Callable[[Piece], str], asked: Asked, pasts: Sequence[Piece]) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " n"]]:
    """A facet of the items and of past reads, as numbers that are equal where the groups are."""
    numbers: dict[str, int] = {}
    each = [np.array([numbers.setdefault(facet(one), len(numbers)) for one in some], dtype=np.int64) for some in (asked.pieces, pasts)]
    return each[0], each[1]
