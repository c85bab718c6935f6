"""Which past reads a score leans on: what it would lose had each of them never been (deletion, not attention)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from heedful.diet.day.features import Asked, without_each
from heedful.diet.day.piece import Past
from heedful.diet.day.simple import NOISE, Taste


class Lean(NamedTuple):
    """A past read, and how much of the worth of a minute goes with it."""

    past: Past
    change: float


def changes(taste: Taste, i: int) -> Float[np.ndarray, " n"]:
    """(n,) the simple model's score of item i less its score had each past read not been: all of them refitted at once.

    The weights without a read follow from the posterior by Sherman and Morrison's formula; tests compare them with a new fit.
    """
    count = len(taste.pasts)
    if not count:
        return np.zeros(0)
    asked = Asked(taste.pieces[i : i + 1], np.array([taste.now]), taste.pasts, taste.like[i : i + 1], taste.wishes.length)
    x = without_each(asked)
    policy, learnt = taste.simple.policy, taste.learnt
    spread = learnt @ policy.covariance  # (n, f)
    residual = taste.rewards - learnt @ taste.simple.weights
    step = taste.whole * residual / (NOISE**2 - (spread * learnt).sum(1))
    weights = taste.simple.weights - spread * step[:, None]
    found: Float[np.ndarray, " n"] = taste.x[i] @ taste.simple.weights - (x * weights).sum(1)
    return found


def leans(taste: Taste, changed: Float[np.ndarray, " n"], most: int = 3) -> list[Lean]:
    """The past reads that a score leans on most, for or against it, from what it loses without each."""
    order = np.argsort(-np.abs(changed), kind="stable")[:most]
    return [Lean(taste.pasts[j], float(changed[j])) for j in order if abs(changed[j]) > 1e-9]
