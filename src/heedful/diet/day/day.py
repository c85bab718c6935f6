"""A day's edition: values drawn, items chosen under the reader's wishes, and why each is in or out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Protocol

import numpy as np
from jaxtyping import Float

from heedful.diet.day.crowd import Crowd
from heedful.diet.day.features import NAMES
from heedful.diet.day.leaning import changes
from heedful.diet.day.piece import UNSTATED, Past, Piece
from heedful.diet.day.shortlist import MOST, best, rough
from heedful.diet.day.simple import Taste
from heedful.diet.day.wishes import KNOWN, QUIET, Wishes
from heedful.diet.edition.greedy import greedy
from heedful.diet.edition.menu import Candidate, Diet, Edition
from heedful.diet.policy.places import Places
from heedful.diet.policy.propensity import editions, inside

TIMES: Final = 40  # editions that propensities are counted over; their standard error is below .08
FAMILIAR: Final = 2  # past reads from which on a source is known
RARE: Final = 2.0  # items a week up to which a source is quiet
LIKED: Final = -0.2  # what a quiet source's reads were worth at least, for the edition to keep it a place


class Worth(Protocol):
    """What a minute of each item is worth, in parts that add up."""

    @property
    def name(self) -> str:
        """Which model it is."""

    def parts(self, taste: Taste) -> tuple[tuple[str, ...], Float[np.ndarray, "m p"]]:
        """The names of the parts, and (m, p) what each adds."""

    def changes(self, taste: Taste, i: int) -> Float[np.ndarray, " n"]:
        """(n,) the score of item i less its score had each past read not been."""


@dataclass(frozen=True)
class Linear:
    """The simple model's worth: one part a feature."""

    name: str = "simple"

    def parts(self, taste: Taste) -> tuple[tuple[str, ...], Float[np.ndarray, "m p"]]:
        """Each feature times its weight."""
        return NAMES, taste.x * taste.simple.weights

    def changes(self, taste: Taste, i: int) -> Float[np.ndarray, " n"]:
        """The model fitted anew without each."""
        return changes(taste, i)


@dataclass(frozen=True)
class Morning:
    """What there is to decide with.

    Arguments:
        pieces: everything that may be read; `chosen` are the places of those that are looked at closely.
        pasts: what was read before.
        minutes: of this edition.
        now: seconds since 1970.
        fill: gives the shortlisted pieces the words that they lack.
    """

    pieces: Sequence[Piece]
    pasts: Sequence[Past]
    wishes: Wishes
    minutes: float
    now: float
    seed: int = 0
    worth: Worth = Linear()
    fill: Callable[[Sequence[Piece]], Sequence[Piece]] = list

    @cached_property
    def chosen(self) -> list[int]:
        """The shortlist."""
        return list(range(len(self.pieces))) if len(self.pieces) <= MOST else best(self.crowd, self.promise)

    @cached_property
    def crowd(self) -> Crowd:
        """All of them as columns."""
        return Crowd.of(self.pieces)

    @cached_property
    def promise(self) -> Float[np.ndarray, " m"]:
        """What a minute of each promised before its words were read."""
        return rough(self.crowd, self.pasts, self.wishes, self.now)

    @cached_property
    def close(self) -> Sequence[Piece]:
        """The items on it."""
        return self.fill([self.pieces[i] for i in self.chosen])

    @cached_property
    def taste(self) -> Taste:
        """The reader's model, asked about them."""
        return Taste.of(self.close, self.pasts, self.wishes, self.now)

    @cached_property
    def diet(self) -> Diet:
        """What the edition must keep to."""
        return self.wishes.diet(self.minutes, len({one.source for one in self.close}))

    @cached_property
    def parts(self) -> tuple[tuple[str, ...], Float[np.ndarray, "m p"]]:
        """What a minute of each is worth, in parts."""
        return self.worth.parts(self.taste)

    @cached_property
    def minutes_each(self) -> Float[np.ndarray, " m"]:
        """What each takes."""
        return np.array([one.minutes for one in self.close])

    def drawn(self, rng: np.random.Generator) -> Float[np.ndarray, " m"]:
        """What a minute of each may be worth: the model's, and a doubt drawn from what it does not know yet."""
        doubt = self.taste.simple.draw(rng) - self.taste.simple.weights
        found: Float[np.ndarray, " m"] = self.parts[1].sum(1) + self.taste.x @ doubt
        return found

    def values(self, rng: np.random.Generator) -> Float[np.ndarray, " m"]:
        """The same for the whole of each item."""
        found: Float[np.ndarray, " m"] = self.drawn(rng) * self.minutes_each
        return found

    @cached_property
    def score(self) -> Float[np.ndarray, " m"]:
        """What a minute of each was drawn to be worth for this edition."""
        return self.drawn(np.random.default_rng(self.seed))

    @cached_property
    def candidates(self) -> list[Candidate]:
        """The items as the allocator takes them."""
        reads = Counter(past.piece.source for past in self.pasts)
        sums: Counter[str] = Counter()
        for past in self.pasts:
            sums[past.piece.source] += past.reward  # type: ignore[assignment]
        return [
            Candidate(one.key, one.minutes, float(score * one.minutes), groups(one, reads, sums), one.story)
            for one, score in zip(self.close, self.score, strict=True)
        ]

    @cached_property
    def edition(self) -> Edition:
        """What is to be read."""
        return greedy(self.candidates, self.diet)

    @cached_property
    def chances(self) -> dict[str, float]:
        """How likely each item of the edition was to be in it."""
        order = self.listed.order.tolist()
        found = inside([*self.drawn_again, order], len(self.candidates))
        return {self.candidates[i].key: float(found[i]) for i in order}

    @cached_property
    def drawn_again(self) -> list[tuple[int, ...]]:
        """Editions that could have been drawn, in the order in which they are read."""
        return editions(self.values, self.candidates, self.diet, times=TIMES, seed=self.seed + 1)

    @cached_property
    def listed(self) -> Places:
        """How likely each place of the edition was, with its end."""
        return Places.counted([self.places[key] for key in self.edition.keys], self.drawn_again)

    def under(self, minutes: float) -> Edition:
        """The edition of as many minutes, everything else as it was."""
        return greedy(self.candidates, self.wishes.diet(minutes, len({one.source for one in self.close})))

    def place(self, key: str) -> int | None:
        """Where an item stands on the shortlist."""
        return self.places.get(key)

    @cached_property
    def places(self) -> dict[str, int]:
        """The places of all."""
        return {one.key: i for i, one in enumerate(self.close)}


def groups(one: Piece, reads: Counter[str], sums: Counter[str]) -> dict[str, str]:
    """An item's groups: what it is about and from whom, and whether its source is new or quiet."""
    found = {"topic": one.topic, "source": one.source, "depth": one.depth}
    if one.viewpoint != UNSTATED:
        found["viewpoint"] = one.viewpoint
    if reads[one.source] < FAMILIAR:
        found["familiarity"] = KNOWN
    if one.rate <= RARE and sums[one.source] / max(reads[one.source], 1) >= LIKED:
        found["loudness"] = QUIET
    return found
