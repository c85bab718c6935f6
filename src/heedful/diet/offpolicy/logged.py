"""A log of choices: what was chosen with what probability, what came of it, and what another policy would have chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from heedful.errors import UsageError


@dataclass(frozen=True, eq=False)
class Log:
    """Single choices, n of them among a actions.

    Arguments:
        action: (n,) which was chosen.
        reward: (n,) what came of it.
        propensity: (n,) the probability with which the policy that chose chose it, above 0.
        policy: (n, a) the probabilities with which the policy in question would choose.
        expected: (n, a) a model's guess of the rewards; None where there is no model.

    Raises `UsageError` for shapes that do not fit or probabilities that are none.
    """

    action: Int[np.ndarray, " n"]
    reward: Float[np.ndarray, " n"]
    propensity: Float[np.ndarray, " n"]
    policy: Float[np.ndarray, "n a"]
    expected: Float[np.ndarray, "n a"] | None = None

    def __post_init__(self) -> None:
        n = len(self.action)
        if self.policy.ndim != 2 or {len(self.reward), len(self.propensity), len(self.policy)} != {n}:
            shapes = ", ".join(str(x.shape) for x in (self.action, self.reward, self.propensity, self.policy))
            raise UsageError(f"actions, rewards, propensities (n,) and a policy (n, a) would work: found {shapes}")
        if self.expected is not None and self.expected.shape != self.policy.shape:
            raise UsageError(f"expected rewards are {self.expected.shape}, the policy {self.policy.shape}: equal shapes would work")
        if n == 0 or not (self.propensity > 0).all() or (self.propensity > 1).any():
            raise UsageError(
                "propensities must lie in (0, 1], one for each of one choice or more: one was logged as 0, above 1 or not at all"
            )
        if (self.policy < 0).any() or not np.allclose(self.policy.sum(1), 1.0, atol=1e-6):
            raise UsageError("the policy's probabilities must not be negative and add up to 1 for every choice")

    def of_action(self, table: Float[np.ndarray, "n a"]) -> Float[np.ndarray, " n"]:
        """The column of the action that was chosen."""
        found: Float[np.ndarray, " n"] = np.take_along_axis(table, self.action[:, None], axis=1)[:, 0]
        return found

    @property
    def weights(self) -> Float[np.ndarray, " n"]:
        """How much likelier the policy in question was to choose what was chosen."""
        found: Float[np.ndarray, " n"] = self.of_action(self.policy) / self.propensity
        return found

    @property
    def guesses(self) -> Float[np.ndarray, "n a"]:
        """The model's guesses; `UsageError` where there are none."""
        if self.expected is None:
            raise UsageError("this estimator wants a model's guess of the rewards: Log(..., expected=...), or ipw and snipw, would work")
        return self.expected

    @property
    def direct(self) -> Float[np.ndarray, " n"]:
        """The reward that the model expects under the policy."""
        found: Float[np.ndarray, " n"] = (self.policy * self.guesses).sum(1)
        return found


def effective(weights: Float[np.ndarray, " n"]) -> float:
    """How many choices of the policy itself the weighted ones are worth (Kish 1965, §8.2): (sum w)^2 / sum w^2.

    >>> effective(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    square = float((weights**2).sum())
    return float(weights.sum() ** 2) / square if square else 0.0
