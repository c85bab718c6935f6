"""What another policy would have earned a reader, from the log of the editions that were shown.

Each candidate of each morning is a choice of its own: in the edition (with its propensity there, counted through the allocator) or not,
so that every estimator of `heedful.diet.offpolicy` for single choices serves as it stands. That an item's reward does not hang on what
else is in the edition is assumed, as by the item-position model (Li et al. 2018); the estimators of lists (`slates.py`) let it hang on the
place, or on what was read before. Intervals are bootstrapped over editions.
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
from heedful.diet.policy.places import Drawn
from heedful.diet.policy.propensity import editions, inside
from heedful.diet.policy.slates import LISTS, listed
from heedful.errors import UsageError, unknown

Values = Callable[[Float[np.ndarray, "n f"], np.random.Generator], Float[np.ndarray, " n"]]
Estimator = Callable[[Log], Float[np.ndarray, " n"]]
ESTIMATORS: Final[dict[str, Estimator]] = {"ipw": IPW(), "snipw": SNIPW(), "dm": DM(), "dr": DR(), "switch-dr": SwitchDR()}
NAMES: Final = (*ESTIMATORS, *LISTS)
MODELLED: Final = ("dm", "dr", "switch-dr")
FOLDS: Final = 2  # the model that guesses an edition's rewards is fitted to the other half of the editions


def evaluate_log(
    decisions: Sequence[Decision], policy: Values, estimator: str = "dr", *, times: int = 200, seed: int = 0, least: float = LEAST
) -> Estimate:
    """The reward an edition that `policy` would have had, with a 95 % interval by the bootstrap over editions.

    Arguments:
        decisions: the log.
        policy: (features (n, f), generator) -> values (n,), drawn as the policy in question would draw them.
        estimator: ipw, snipw, dm, dr or switch-dr; of lists, iips, rips or cascade-dr.
        times: editions that are drawn for the policy in question each morning.
        least: the effective number of shown items (of lists for rips and cascade-dr) below which it is refused.

    Raises `TooFew` where the log holds too little of what the policy would do, `UsageError` for an empty log or an unknown estimator.
    """
    if estimator not in NAMES:
        raise unknown("estimator", estimator, NAMES)
    if len(decisions) < FOLDS:
        raise UsageError(f"{len(decisions)} editions were logged: a log of some weeks would work")
    return judged(decisions, drawn(decisions, policy, times, seed), estimator, seed=seed, least=least)


def drawn(decisions: Sequence[Decision], policy: Values, times: int = 200, seed: int = 0) -> list[Drawn]:
    """The editions that the policy would have made of each morning, one for each of its draws."""
    # seeds of their own: with that of the log a draw could be the very one that was shown
    seeds = (int(np.random.SeedSequence([seed, i, 1]).generate_state(1)[0]) for i in range(len(decisions)))
    return [
        editions(partial(policy, one.features), one.candidates, one.diet, times=times, seed=own)
        for one, own in zip(decisions, seeds, strict=True)
    ]


def chances(decisions: Sequence[Decision], policy: Values, times: int = 200, seed: int = 0) -> list[Float[np.ndarray, " n"]]:
    """How likely the policy would have had each candidate in each of the editions."""
    return [inside(some, len(one.candidates)) for one, some in zip(decisions, drawn(decisions, policy, times, seed), strict=True)]


def judged(decisions: Sequence[Decision], wanted: Sequence[Drawn], estimator: str, seed: int = 0, least: float = LEAST) -> Estimate:
    """`evaluate_log` from the editions of `drawn`, which several estimators may share."""
    if estimator not in NAMES:
        raise unknown("estimator", estimator, NAMES)
    starts = np.cumsum([0, *(len(one.candidates) for one in decisions[:-1])])
    if estimator in LISTS:
        return listed(decisions, wanted, np.split(crossfitted(decisions), starts[1:]), estimator, seed=seed, least=least)
    guesses = crossfitted(decisions) if estimator in MODELLED else None
    log = rows(decisions, [inside(some, len(one.candidates)) for one, some in zip(decisions, wanted, strict=True)], guesses)
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
