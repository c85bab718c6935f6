"""What another policy would have earned a reader, from the log of the editions that were shown.

Each candidate of each morning is a choice of its own: in the edition (with its propensity there, counted through the allocator) or not,
so that every estimator of `heedful.diet.offpolicy` for single choices serves as it stands. That an item's reward does not hang on what
else is in the edition is assumed, as by the item-position model (Li et al. 2018). Intervals are bootstrapped over editions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.dm import DM
from heedful.diet.offpolicy.dr import DR
from heedful.diet.offpolicy.estimate import LEAST, Estimate, estimated
from heedful.diet.offpolicy.ipw import IPW
from heedful.diet.offpolicy.logged import Log
from heedful.diet.offpolicy.snipw import SNIPW
from heedful.diet.offpolicy.switch import SwitchDR
from heedful.diet.policy.log import Decision
from heedful.diet.policy.propensity import propensities
from heedful.errors import UsageError, unknown

Values = Callable[[Float[np.ndarray, "n f"], np.random.Generator], Float[np.ndarray, " n"]]
Estimator = Callable[[Log], Float[np.ndarray, " n"]]
ESTIMATORS: Final[dict[str, Estimator]] = {"ipw": IPW(), "snipw": SNIPW(), "dm": DM(), "dr": DR(), "switch-dr": SwitchDR()}
MODELLED: Final = ("dm", "dr", "switch-dr")
FOLDS: Final = 2  # the model that guesses an edition's rewards is fitted to the other half of the editions


def evaluate_log(
    decisions: Sequence[Decision], policy: Values, estimator: str = "dr", *, times: int = 200, seed: int = 0, least: float = LEAST
) -> Estimate:
    """The reward an edition that `policy` would have had, with a 95 % interval by the bootstrap over editions.

    Arguments:
        decisions: the log.
        policy: (features (n, f), generator) -> values (n,), drawn as the policy in question would draw them.
        estimator: ipw, snipw, dm, dr or switch-dr.
        times: editions that are drawn for the policy in question each morning.
        least: the effective number of shown items below which it is refused.

    Raises `TooFew` where the log holds too little of what the policy would do, `UsageError` for an empty log or an unknown estimator.
    """
    if estimator not in ESTIMATORS:
        raise unknown("estimator", estimator, ESTIMATORS)
    if len(decisions) < FOLDS:
        raise UsageError(f"{len(decisions)} editions were logged: a log of some weeks would work")
    return judged(decisions, chances(decisions, policy, times, seed), estimator, seed=seed, least=least)


def chances(decisions: Sequence[Decision], policy: Values, times: int = 200, seed: int = 0) -> list[Float[np.ndarray, " n"]]:
    """How likely the policy would have had each candidate in each of the editions."""
    return [
        propensities(partial(policy, one.features), one.candidates, one.diet, times=times, seed=seed + i) for i, one in enumerate(decisions)
    ]


def judged(
    decisions: Sequence[Decision], wanted: Sequence[Float[np.ndarray, " n"]], estimator: str, seed: int = 0, least: float = LEAST
) -> Estimate:
    """`evaluate_log` from `chances`, which several estimators may share."""
    if estimator not in ESTIMATORS:
        raise unknown("estimator", estimator, ESTIMATORS)
    guesses = crossfitted(decisions) if estimator in MODELLED else None
    log = rows(decisions, wanted, guesses)
    starts = np.cumsum([0, *(len(one.candidates) for one in decisions[:-1])])
    return estimated(np.add.reduceat(ESTIMATORS[estimator](log), starts), log.weights[log.action == 1], seed=seed, least=least)


def rows(decisions: Sequence[Decision], wanted: Sequence[Float[np.ndarray, " n"]], guesses: Float[np.ndarray, " m"] | None) -> Log:
    """All candidates of all mornings as choices between out (0) and in (1)."""
    shown = np.concatenate([one.shown for one in decisions])
    inside = np.concatenate([one.propensity for one in decisions])
    rewards = np.concatenate([np.where(one.shown, one.rewards, 0.0) for one in decisions])
    asked = np.concatenate(wanted)
    # what was not shown earned nothing and is guessed to: where its propensity was not logged, weight 1 stands for it
    outside = np.where(np.isnan(inside), np.maximum(1 - asked, 1e-12), 1 - inside)
    return Log(
        action=shown.astype(int),
        reward=rewards,
        propensity=np.where(shown, inside, outside),
        policy=np.stack([1 - asked, asked], axis=1),
        expected=None if guesses is None else np.stack([np.zeros_like(guesses), guesses], axis=1),
    )


def crossfitted(decisions: Sequence[Decision], penalty: float = 1.0) -> Float[np.ndarray, " m"]:
    """A ridge regression's guess of every candidate's reward; each edition's by a model fitted to what the other editions showed."""
    fits = [ridge([one for j, one in enumerate(decisions) if j % FOLDS != fold], penalty) for fold in range(FOLDS)]
    return np.concatenate([one.features @ fits[i % FOLDS] for i, one in enumerate(decisions)])


def ridge(decisions: Sequence[Decision], penalty: float) -> Float[np.ndarray, " f"]:
    """The weights that fit what was shown; zeros where nothing was."""
    features = np.concatenate([one.features[one.shown] for one in decisions])
    rewards = np.concatenate([one.rewards[one.shown] for one in decisions])
    found: Float[np.ndarray, " f"] = np.linalg.solve(features.T @ features + penalty * np.eye(features.shape[1]), features.T @ rewards)
    return found
