"""What a policy is given of a morning: for each of r readers n candidates, and all that can be seen of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from heedful.diet.edition.batched import Menus


@dataclass(frozen=True, eq=False)
class Offer:
    """A morning of r readers; one reader is r = 1.

    Arguments:
        features: (r, n, f) of the candidates as they are to their reader today.
        minutes: (r, n); infinite for candidates that are not there.
        facets: (r, n) groups from 0 by facet; `topic` is what list-makers tell items apart by.
        story: (r, n) numbers from 0.
        budget: the minutes of each edition.
    """

    features: Float[np.ndarray, "r n f"]
    minutes: Float[np.ndarray, "r n"]
    facets: Mapping[str, Int[np.ndarray, "r n"]]
    story: Int[np.ndarray, "r n"]
    budget: float

    def menus(self, values: Float[np.ndarray, "r n"]) -> Menus:
        """The candidates at these values, for the allocator."""
        return Menus(values, self.minutes, self.facets, self.story)

    def scaled(self, values: Float[np.ndarray, "r n"]) -> Float[np.ndarray, "r n"]:
        """The values in units in which each reader's best and worst minutes lie 1 apart today: one diet then suits all readers."""
        there = np.isfinite(self.minutes)
        rates = values / np.where(there, self.minutes, 1.0)
        wide = np.where(there, rates, -np.inf).max(1) - np.where(there, rates, np.inf).min(1)
        found: Float[np.ndarray, "r n"] = values / np.where(np.isfinite(wide) & (wide > 0), wide, 1.0)[:, None]
        return found

    def of(self, picks: Int[np.ndarray, "r l"]) -> Float[np.ndarray, "r l f"]:
        """The features of the picked; zeros where a row has ended."""
        found = np.take_along_axis(self.features, np.maximum(picks, 0)[..., None], 1)
        return np.where(picks[..., None] >= 0, found, 0.0)

    def times(self, picks: Int[np.ndarray, "r l"]) -> Float[np.ndarray, "r l"]:
        """The minutes of the picked; zeros where a row has ended."""
        return np.where(picks >= 0, np.take_along_axis(self.minutes, np.maximum(picks, 0), 1), 0.0)
