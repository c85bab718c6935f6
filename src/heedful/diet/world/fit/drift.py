"""MovieLens again: how far interests wander from themselves, and how fast they come back.

Two ratings of one user agree more in films of like genres than in films of none in common. In a world of interests that drift (an
Ornstein-Uhlenbeck process, `readers.py`) this excess falls with the days between the two: home² + drift² 2^(-days / half-life). Pairs
within an hour are left out: one sitting shows like films side by side. Most users of this log rate within one sitting, so what it says
rests on those that came back, and the errors say how little that is: users are drawn again as wholes. That all ratings of a day rise and
fall together is in both kinds of pairs and so in neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from heedful.diet.world.fit.found import Found

EDGES: Final = (1 / 24, 1.0, 7.0, 30.0, 90.0, 365.0, np.inf)  # days between two ratings
WEEK: Final = 2  # the bins from a week on
LIKE: Final = 0.5  # genres in common, of all that two films have, from which on they are alike
HALVES: Final = np.geomspace(0.5, 200.0, 41)  # days that are tried as the half-life
DRAWS: Final = 200


class Pairs(NamedTuple):
    """By user and days between (u, b): sums of products of two ratings, how many, for like films and for films of no genre in common;
    and the days between of all of them."""

    like: Float[np.ndarray, "u b"]
    likes: Float[np.ndarray, "u b"]
    unlike: Float[np.ndarray, "u b"]
    unlikes: Float[np.ndarray, "u b"]
    days: Float[np.ndarray, "u b"]


class Curve(NamedTuple):
    """Spreads of where interests are at home and of how far they are away, and the days after which half of that is gone."""

    home: float
    drift: float
    half: float


@dataclass(frozen=True, eq=False)
class Ratings:
    """n ratings: what is `left` of each when rater and film are taken off, whose it is, the `days` it was given at, the film's genres."""

    left: Float[np.ndarray, " n"]
    user: Int[np.ndarray, " n"]
    days: Float[np.ndarray, " n"]
    has: Bool[np.ndarray, "n g"]


def drifted(ratings: Ratings) -> list[Found]:
    """What ratings say of `drift` and `drift_days`, with standard errors."""
    pairs = paired(ratings)
    rng, users = np.random.default_rng(0), len(pairs.like)
    drawn = [np.bincount(rng.integers(users, size=users), minlength=users).astype(float) for _ in range(DRAWS)]
    curves = np.array([excess(pairs, one) for one in drawn])
    error = np.maximum(np.nanstd(curves, axis=0), 1e-9)
    gaps = pairs.days.sum(0) / np.maximum(pairs.likes.sum(0), 1)
    found = fitted(excess(pairs, np.ones(users)), error, gaps)
    again = [fitted(one, error, gaps) for one in curves]
    low, high = np.quantile([one.half for one in again], [0.16, 0.84])
    falls = 1 - curves[:, -1] / curves[:, WEEK]
    late = int((pairs.likes[:, WEEK:].sum(1) > 0).sum())
    told = f"of agreement on like films: time takes this, {found.home:.2f} stays; {late} of {users} users rated a week apart"
    slow = f"from weeks to years it falls by {np.median(falls):.0%} ± {falls.std():.0%}"
    return [
        Found("drift", found.drift, float(np.std([one.drift for one in again])), told),
        Found("drift_days", found.half, float(high - low) / 2, f"days that halve it, 68 % in {low:.1f} to {high:.1f}; {slow}"),
    ]


def paired(ratings: Ratings) -> Pairs:
    """All pairs of ratings of each user."""
    rows = []
    for one in range(int(ratings.user.max()) + 1):
        mine = np.flatnonzero(ratings.user == one)
        first, second = np.triu_indices(len(mine), 1)
        genres = ratings.has[mine].astype(np.float32)
        both, sizes = genres @ genres.T, genres.sum(1)
        alike = (both / np.maximum(sizes[:, None] + sizes - both, 1))[first, second]
        gap = np.abs(ratings.days[mine][first] - ratings.days[mine][second])
        product, bins = ratings.left[mine][first] * ratings.left[mine][second], np.digitize(gap, EDGES[1:-1])
        like, unlike = (alike >= LIKE) & (gap >= EDGES[0]), (alike == 0) & (gap >= EDGES[0])
        columns = [(like, product), (like, None), (unlike, product), (unlike, None), (like, gap)]
        rows.append([summed(bins, chosen, values) for chosen, values in columns])
    return Pairs(*np.array(rows).swapaxes(0, 1))


def summed(bins: Int[np.ndarray, " p"], chosen: Bool[np.ndarray, " p"], values: Float[np.ndarray, " p"] | None) -> Float[np.ndarray, " b"]:
    """Sums of the chosen pairs by the days between, or their count."""
    return np.bincount(bins[chosen], None if values is None else values[chosen], len(EDGES) - 1).astype(float)


def excess(pairs: Pairs, weight: Float[np.ndarray, " u"]) -> Float[np.ndarray, " b"]:
    """By how much like films' ratings agree more, by the days between, users counted by their weights; NaN where there are none."""
    like, likes, unlike, unlikes = (weight @ column for column in pairs[:4])
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Float[np.ndarray, " b"] = like / likes - unlike / unlikes
    return found


def fitted(curve: Sequence[float] | Float[np.ndarray, " b"], error: Float[np.ndarray, " b"], gaps: Float[np.ndarray, " b"]) -> Curve:
    """The least squares fit of home² + drift² 2^(-days / half), neither square below 0.

    >>> gaps = np.array([0.1, 1.0, 3.0, 10.0, 30.0, 100.0])
    >>> found = fitted(0.09 + 0.04 * 0.5 ** (gaps / 5.0), np.ones(6), gaps)
    >>> round(found.home, 2), round(found.drift, 2), 4 < found.half < 6
    (0.3, 0.2, True)
    """
    from scipy.optimize import nnls

    told = np.isfinite(np.asarray(curve, dtype=float))
    best, chosen = np.inf, Curve(0.0, 0.0, float(HALVES[0]))
    for half in HALVES:
        design = np.stack([np.ones(int(told.sum())), 0.5 ** (gaps[told] / half)], axis=1) / error[told, None]
        squares, left = nnls(design, np.asarray(curve, dtype=float)[told] / error[told])
        if left < best:
            best, chosen = left, Curve(float(np.sqrt(squares[0])), float(np.sqrt(squares[1])), float(half))
    return chosen
