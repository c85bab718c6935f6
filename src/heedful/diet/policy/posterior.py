"""What is believed of linear weights after rewards were seen: a normal distribution, kept as precision and shift.

Bishop 2006, Pattern Recognition and Machine Learning, eq. 3.50-3.51. Arrays may lead with readers: (..., f).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weights w ~ N(P^-1 b, P^-1), for one reader (f,) or for many at once (r, f).

    Arguments:
        precision: P, (..., f, f).
        shift: b, (..., f).
    """

    precision: Float[np.ndarray, "... f f"]
    shift: Float[np.ndarray, "... f"]

    @classmethod
    def before(cls, shape: tuple[int, ...], prior: float, mean: Float[np.ndarray, " f"] | None = None) -> Posterior:
        """Nothing seen yet: weights of the given shape (..., f) spread by `prior` around `mean` (0 where None)."""
        precision = np.broadcast_to(np.eye(shape[-1]) / prior**2, (*shape, shape[-1])).copy()
        shift = np.zeros(shape) if mean is None else np.broadcast_to(mean / prior**2, shape).copy()
        return cls(precision, shift)

    @property
    def mean(self) -> Float[np.ndarray, "... f"]:
        """The likeliest weights."""
        found: Float[np.ndarray, "... f"] = np.linalg.solve(self.precision, self.shift[..., None])[..., 0]
        return found

    @property
    def covariance(self) -> Float[np.ndarray, "... f f"]:
        """How far they may be from that."""
        inverse = np.linalg.inv(self.precision)
        found: Float[np.ndarray, "... f f"] = (inverse + np.swapaxes(inverse, -1, -2)) / 2
        return found

    def seen(self, features: Float[np.ndarray, "... n f"], rewards: Float[np.ndarray, "... n"], noise: float) -> Posterior:
        """After n more rewards = features @ w + noise; rows of zeros change nothing."""
        across = np.swapaxes(features, -1, -2)
        return Posterior(self.precision + across @ features / noise**2, self.shift + (across @ rewards[..., None])[..., 0] / noise**2)

    def faded(self, keep: float, start: Posterior) -> Posterior:
        """The evidence beyond `start` counts `keep` of what it did: interests drift (West & Harrison 1997, discounting)."""
        return Posterior(
            start.precision + keep * (self.precision - start.precision),
            start.shift + keep * (self.shift - start.shift),
        )

    def astray(self, noise: Float[np.ndarray, "... f"]) -> Float[np.ndarray, "... f"]:
        """How far from the mean a draw is, given standard normal numbers of its shape."""
        lower = np.linalg.cholesky(self.precision)
        # P = L L^T: L^-T z has covariance P^-1
        found: Float[np.ndarray, "... f"] = np.linalg.solve(np.swapaxes(lower, -1, -2), noise[..., None])[..., 0]
        return found

    def draw(self, noise: Float[np.ndarray, "... f"]) -> Float[np.ndarray, "... f"]:
        """Weights drawn from the posterior, given such numbers."""
        found: Float[np.ndarray, "... f"] = self.mean + self.astray(noise)
        return found
