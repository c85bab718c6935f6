"""A reader's own log as other policies are judged by it: the mornings, what was shown with what propensity, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from heedful.diet.edition.menu import Candidate, Diet
from heedful.diet.policy.places import Places
from heedful.errors import UsageError


@dataclass(frozen=True, eq=False)
class Decision:
    """One edition that was shown.

    Arguments:
        candidates: n items there were that morning.
        diet: what the edition was held to.
        features: (n, f) of the candidates, as the policies know them.
        shown: (n,) whether each was in the edition.
        propensity: (n,) how likely each was to be in it (see `propensities`, with `shown`); NaN where it was not logged for one that
            was not shown, which no estimator but the normalisation of snipw hangs on.
        rewards: (n,) what came of those that were shown; not read for the others.
        places: how likely the list was, place by place; None where that was not logged: estimators of lists want it.

    Raises `UsageError` for shapes that do not fit, what was shown with a propensity of 0, or places of other items.
    """

    candidates: Sequence[Candidate]
    diet: Diet
    features: Float[np.ndarray, "n f"]
    shown: Bool[np.ndarray, " n"]
    propensity: Float[np.ndarray, " n"]
    rewards: Float[np.ndarray, " n"]
    places: Places | None = None

    def __post_init__(self) -> None:
        n = len(self.candidates)
        if self.features.ndim != 2 or {len(x) for x in (self.features, self.shown, self.propensity, self.rewards)} != {n}:
            raise UsageError(f"features, what was shown, propensities and rewards for each of the {n} candidates would work")
        good = (self.propensity >= 0) & (self.propensity <= 1) & np.where(self.shown, self.propensity > 0, self.propensity < 1)
        odd = ~good & ~(np.isnan(self.propensity) & ~self.shown)
        if odd.any():
            name, share = self.candidates[int(odd.argmax())].key, float(self.propensity[int(odd.argmax())])
            raise UsageError(
                f"{name}: {'shown' if self.shown[odd.argmax()] else 'not shown'} with propensity {share:g}: what was shown must have had a "
                "chance above 0 and what was not one below 1; propensities(..., shown=...) counts so"
            )
        if self.places is not None:
            self.placed(self.places)

    def placed(self, places: Places) -> None:
        """Refuse places that are not those of what was shown."""
        if sorted(places.order.tolist()) != np.flatnonzero(self.shown).tolist():
            raise UsageError(f"places of {len(places.order)} items, and {int(self.shown.sum())} were shown: the same items would work")
        length = len(places.order) + 1
        for name, found in (("item", places.by_item), ("list", places.cascade)):
            if found.shape != (length,) or not ((found > 0) & (found <= 1)).all():
                raise UsageError(f"probabilities by {name} must lie in (0, 1], one for each of {length} places, the end among them")
