"""What readers have in common, learnt from those who came before: the prior that a new reader starts from.

A linear mixed model (Laird & Ware 1982, Biometrics 38): each reader's weights are drawn around common ones, fitted by expectation
and maximisation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.policy.posterior import Posterior
from heedful.errors import UsageError


@dataclass(frozen=True, eq=False)
class Prior:
    """Weights of a reader nothing is known of: w ~ N(mean, diag(spread^2)), rewards around them by `noise`.

    >>> prior = Prior.flat(features=3, spread=0.5, noise=1.0)
    >>> prior.belief(readers=2).mean.shape
    (2, 3)
    """

    mean: Float[np.ndarray, " f"]
    spread: Float[np.ndarray, " f"]
    noise: float

    def __post_init__(self) -> None:
        if self.mean.ndim != 1 or self.mean.shape != self.spread.shape or not len(self.mean):
            raise UsageError(f"a mean and a spread for each feature would work: found {self.mean.shape} and {self.spread.shape}")
        if not (self.spread > 0).all() or not 0 < self.noise < float("inf"):
            raise UsageError(f"spreads and noise must be above 0: the least is {self.spread.min():g}, the noise {self.noise:g}")

    @classmethod
    def flat(cls, features: int, spread: float = 0.4, noise: float = 1.0) -> Prior:
        """Nothing is known: all weights alike, around 0."""
        return cls(np.zeros(features), np.full(features, spread), noise)

    def belief(self, readers: int) -> Posterior:
        """So many readers who start from it."""
        precision = np.broadcast_to(np.diag(self.spread**-2), (readers, len(self.mean), len(self.mean))).copy()
        return Posterior(precision, np.broadcast_to(self.mean * self.spread**-2, (readers, len(self.mean))).copy())


def fitted(features: Float[np.ndarray, "r n f"], targets: Float[np.ndarray, "r n"], rounds: int = 40) -> Prior:
    """The prior under which these readers' rewards are likeliest; rows of zeros are no rewards.

    Arguments:
        features: (r, n, f) of n items that each of r readers met.
        targets: (r, n) what they earned.
        rounds: of expectation and maximisation.

    Raises `UsageError` for shapes that do not fit.
    """
    if features.ndim != 3 or targets.shape != features.shape[:2]:
        raise UsageError(f"features (r, n, f) and targets (r, n) would work: found {features.shape} and {targets.shape}")
    across = np.swapaxes(features, 1, 2)
    squares, shift = across @ features, (across @ targets[..., None])[..., 0]
    total, rows = float((targets**2).sum()), int((features != 0).any(2).sum())
    prior = Prior.flat(features.shape[2], spread=0.3, noise=max(float(np.sqrt(total / max(rows, 1))), 1e-3))
    for _ in range(rounds):
        start = prior.belief(len(features))
        belief = Posterior(start.precision + squares / prior.noise**2, start.shift + shift / prior.noise**2)
        mean, covariance = belief.mean, belief.covariance
        second = covariance + mean[:, :, None] * mean[:, None, :]  # E[w w^T] of each reader
        common = mean.mean(0)
        spread = np.sqrt(np.maximum(np.diagonal(second, axis1=1, axis2=2).mean(0) - common**2, 1e-8))
        left = total - 2 * float((shift * mean).sum()) + float((squares * second).sum())
        prior = Prior(common, spread, float(np.sqrt(max(left / max(rows, 1), 1e-6))))
    return prior
