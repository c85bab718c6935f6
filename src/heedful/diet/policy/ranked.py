"""How list-makers fill a day's minutes: the best-placed item that fits, again and again, until none does."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Float, Int

from heedful.diet.edition.batched import compact
from heedful.diet.edition.menu import SLACK
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Picks


class Rule(Protocol):
    """Scores of candidates given what is in the lists so far."""

    def scores(self) -> Float[np.ndarray, "r n"]:
        """The higher the sooner."""

    def took(self, rows: Int[np.ndarray, " a"], items: Int[np.ndarray, " a"]) -> None:
        """These items went into the lists of these readers."""


def filled(offer: Offer, rule: Rule) -> Picks:
    """(r, l) lists within the budget."""
    r = len(offer.minutes)
    spent, there = np.zeros(r), np.isfinite(offer.minutes)
    picks: list[Int[np.ndarray, " r"]] = []
    everyone = np.arange(r)
    while True:
        fits = there & (spent[:, None] + np.where(there, offer.minutes, 0.0) <= offer.budget + SLACK)
        rows = everyone[fits.any(1)]
        if not len(rows):
            return compact(np.stack(picks, axis=1)) if picks else np.full((r, 0), -1)
        best = np.where(fits, rule.scores(), -np.inf).argmax(1)
        picked = np.full(r, -1)
        picked[rows] = best[rows]
        spent[rows] += offer.minutes[rows, best[rows]]
        there[rows, best[rows]] = False
        rule.took(rows, best[rows])
        picks.append(picked)


def by(offer: Offer, values: Float[np.ndarray, "r n"], a_minute: bool) -> Float[np.ndarray, "r n"]:
    """Values as they are, or a minute."""
    if not a_minute:
        return values
    found: Float[np.ndarray, "r n"] = values / np.where(np.isfinite(offer.minutes), offer.minutes, np.inf)
    return found
