"""The simple model: what a minute of an item is worth, linear in its features, with an honest doubt (linear Thompson sampling).

Agrawal & Goyal 2013 (ICML), on the features of `features.py`; the weights start from the reader's sliders and move with every read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, final

import numpy as np
from jaxtyping import Bool, Float

from heedful.diet.day.features import NAMES, Asked, features
from heedful.diet.day.piece import Past, Piece
from heedful.diet.day.wishes import Wishes
from heedful.diet.day.words import tfidf
from heedful.diet.policy.thompson import LinearThompson

MOST: Final = 400  # past reads that are remembered, the latest
PRIOR: Final = 0.25  # standard deviation of a weight before any read
NOISE: Final = 0.5  # of what a read was worth about what was expected


@dataclass(frozen=True)
class Taste:
    """A reader's model and the items it is asked about.

    Arguments:
        pieces: (m) that may be read.
        pasts: (n) that were read, in the order of time.
        now: seconds since 1970.
        rows: (m + n, 65,536) their words, the items' first.
    """

    pieces: Sequence[Piece]
    pasts: Sequence[Past]
    wishes: Wishes
    now: float
    rows: Any

    @classmethod
    def of(cls, pieces: Sequence[Piece], pasts: Sequence[Past], wishes: Wishes, now: float) -> Taste:
        """Ready to be asked; of a long past the latest reads are remembered."""
        kept = sorted(pasts, key=lambda past: past.at)[-MOST:]
        texts = [one.words for one in pieces] + [past.piece.words for past in kept]
        return cls(pieces, kept, wishes, now, tfidf(texts))

    @cached_property
    def like(self) -> Float[np.ndarray, "m n"]:
        """Likeness of the items' words to those of past reads."""
        found: Float[np.ndarray, "m n"] = (self.rows[: len(self.pieces)] @ self.rows[len(self.pieces) :].T).toarray()
        return found

    @cached_property
    def between(self) -> Float[np.ndarray, "n n"]:
        """The same among past reads."""
        past = self.rows[len(self.pieces) :]
        found: Float[np.ndarray, "n n"] = (past @ past.T).toarray()
        return found

    @cached_property
    def asked(self) -> Asked:
        """The items, now."""
        return Asked(self.pieces, np.full(len(self.pieces), self.now), self.pasts, self.like, self.wishes.length)

    @cached_property
    def x(self) -> Float[np.ndarray, "m f"]:
        """The items' features."""
        return features(self.asked)

    @cached_property
    def learnt(self) -> Float[np.ndarray, "n f"]:
        """The features of past reads, each as it stood when it was read: of those before it alone."""
        times = np.array([past.at for past in self.pasts])
        asked = Asked([past.piece for past in self.pasts], times, self.pasts, self.between, self.wishes.length)
        return features(asked, np.tri(len(self.pasts), k=-1, dtype=bool))

    @cached_property
    def rewards(self) -> Float[np.ndarray, " n"]:
        """What past reads were worth a minute."""
        return self.asked.rewards

    @cached_property
    def whole(self) -> Bool[np.ndarray, " n"]:
        """Which of them were said of whole items."""
        return np.array([past.whole for past in self.pasts], dtype=bool)

    @cached_property
    def simple(self) -> Simple:
        """The model of all past reads."""
        return Simple.fitted(self, np.ones(len(self.pasts), dtype=bool))

    def without(self, keep: Bool[np.ndarray, " n"]) -> Float[np.ndarray, " m"]:
        """What a minute of each item would be worth had only the past reads of `keep` been."""
        x = features(self.asked, np.broadcast_to(keep, self.like.shape))
        found: Float[np.ndarray, " m"] = x @ Simple.fitted(self, keep).weights
        return found

    def only(self, which: Sequence[int]) -> Taste:
        """The same reader asked about some of the items alone."""
        rows = self.rows[[*which, *range(len(self.pieces), len(self.pieces) + len(self.pasts))]]
        found = replace(self, pieces=[self.pieces[i] for i in which], rows=rows)
        vars(found).update({name: vars(self)[name] for name in ("between", "learnt", "rewards", "whole", "simple") if name in vars(self)})
        return found


def first_weights(wishes: Wishes) -> Float[np.ndarray, " f"]:
    """(10,) the weights of a reader without a past."""
    prior = wishes.prior()
    return np.array([prior[name] for name in NAMES])


@final
@dataclass(frozen=True)
class Simple:
    """Weights of the features: their mean, and how far from it they may be.

    Arguments:
        policy: the posterior about the difference from the reader's first weights `start`.
    """

    start: Float[np.ndarray, " f"]
    policy: LinearThompson

    @classmethod
    def fitted(cls, taste: Taste, keep: Bool[np.ndarray, " n"]) -> Simple:
        """From the past reads that are kept; each counts with the features it had when it was read."""
        policy, start = LinearThompson(len(NAMES), PRIOR, NOISE, 0), first_weights(taste.wishes)
        told = keep & taste.whole
        x = taste.learnt[told]
        if len(x):
            policy.update(x, taste.rewards[told] - x @ start)
        return cls(start, policy)

    @cached_property
    def weights(self) -> Float[np.ndarray, " f"]:
        """Their mean."""
        found: Float[np.ndarray, " f"] = self.start + self.policy.mean
        return found

    def draw(self, rng: np.random.Generator) -> Float[np.ndarray, " f"]:
        """Weights that may be the right ones, by how likely they are."""
        found: Float[np.ndarray, " f"] = self.start + self.policy.draw(rng)
        return found
