"""Linear Thompson sampling (Agrawal & Goyal 2013, arXiv 1209.3352): act by weights drawn from what is believed of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from heedful.diet.policy.posterior import Posterior
from heedful.errors import DataError, UsageError


class LinearThompson:
    """One reader's weights: what an item's features are worth, and how sure that is.

    >>> model = LinearThompson(features=2, prior=1.0, noise=0.1, seed=0)
    >>> model.update(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([1.0, -1.0, 0.0]))
    >>> model.mean.round(2).tolist()
    [0.99, -0.99]
    >>> values = np.array([[1.0, 0.0]]) @ model.draw(np.random.default_rng(0))   # (n, f) @ (f,) -> (n,)

    Arguments:
        features: f, how many an item has.
        prior: the standard deviation of a weight before anything is seen, in units of the reward.
        noise: the standard deviation of a reward around what the features say.
        seed: of the draws that are made without a generator.

    Raises `UsageError` for no features, or spreads that are not above 0.
    """

    name = "thompson"

    def __init__(self, features: int, prior: float = 1.0, noise: float = 1.0, seed: int = 0) -> None:
        if features < 1 or not 0 < prior < float("inf") or not 0 < noise < float("inf"):
            raise UsageError(f"{features} features, prior {prior:g}, noise {noise:g}: one feature or more and spreads above 0 would work")
        self.prior, self.noise = prior, noise
        self.start = Posterior.before((features,), prior)
        self.belief = self.start
        self.count = 0
        self.rng = np.random.default_rng(seed)

    @property
    def features(self) -> int:
        """How many features an item has."""
        return len(self.belief.shift)

    @property
    def mean(self) -> Float[np.ndarray, " f"]:
        """The likeliest weights."""
        return self.belief.mean

    @property
    def covariance(self) -> Float[np.ndarray, "f f"]:
        """How sure they are."""
        return self.belief.covariance

    def update(self, features: Float[np.ndarray, "n f"], rewards: Float[np.ndarray, " n"]) -> None:
        """Learn from n items and what came of them; the order of items does not matter.

        Raises `UsageError` for shapes that do not fit or numbers that are not finite.
        """
        features, rewards = np.asarray(features, dtype=float), np.asarray(rewards, dtype=float)
        if features.ndim != 2 or features.shape[1] != self.features or rewards.shape != (len(features),):
            raise UsageError(f"features (n, {self.features}) and rewards (n,) would work: found {features.shape} and {rewards.shape}")
        if not np.isfinite(features).all() or not np.isfinite(rewards).all():
            raise UsageError("features and rewards must be finite numbers: one is not")
        self.belief = self.belief.seen(features, rewards, self.noise)
        self.count += len(rewards)

    def fade(self, keep: float) -> None:
        """Let what was learnt count `keep` of what it did (0.99 a day halves it in ten weeks): interests drift."""
        if not 0 <= keep <= 1:
            raise UsageError(f"what was learnt cannot count {keep:g} of what it did: a share from 0 to 1 would work")
        self.belief = self.belief.faded(keep, self.start)

    def draw(self, rng: np.random.Generator | None = None) -> Float[np.ndarray, " f"]:
        """Weights as they may be: (f,)."""
        return self.belief.draw((rng or self.rng).standard_normal(self.features))

    def state(self) -> dict[str, Any]:
        """All of it but the generator, as JSON takes it."""
        belief = self.belief
        return {
            "version": 1, "prior": self.prior, "noise": self.noise, "count": self.count,
            "precision": belief.precision.tolist(), "shift": belief.shift.tolist(),
        }  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `state` gave; `DataError` for one of another form or of other features."""
        try:
            precision, shift = np.array(state["precision"], dtype=float), np.array(state["shift"], dtype=float)
            prior, noise, count, version = float(state["prior"]), float(state["noise"]), int(state["count"]), state["version"]
        except (KeyError, TypeError, ValueError) as wrong:
            raise DataError(f"this is not what linear Thompson sampling saved ({wrong!r}): what its state() gives would work") from None
        if version != 1:
            raise DataError(f"this was saved in version {version} and 1 is read here: a newer heedful would work")
        if precision.shape != (self.features, self.features) or shift.shape != (self.features,):
            raise DataError(f"this was saved for {len(shift)} features and there are {self.features} now: starting anew would work")
        self.prior, self.noise, self.count = prior, noise, count
        self.start = Posterior.before((self.features,), prior)
        self.belief = Posterior(precision, shift)
