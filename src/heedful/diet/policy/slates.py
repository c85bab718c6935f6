"""Estimators of lists on a reader's own log: a reward may hang on its place (iips), or on what was read before it (rips, cascade-dr).

Probabilities are counted over drawn editions, for the policy that chose when it chose (`places.py`) and for the one in question now.
Lists of many places are hardly ever drawn twice: where the weights do not add up to the items that the policy in question shows, the
counts cannot tell its lists from those that were shown, and the estimate is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.cascade_dr import CascadeDR
from heedful.diet.offpolicy.estimate import LEAST, Estimate, TooFew, estimated
from heedful.diet.offpolicy.iips import IIPS
from heedful.diet.offpolicy.rips import RIPS
from heedful.diet.offpolicy.slates import SlateLog
from heedful.diet.policy.log import Decision
from heedful.diet.policy.places import Drawn, Places, at, shares
from heedful.errors import unknown

LISTS: Final = ("iips", "rips", "cascade-dr")
FAR: Final = 3.0  # standard errors by which weights may miss what they should add up to,
PART: Final = 0.1  # and the share of it


@dataclass(frozen=True, eq=False)
class Lists:
    """The log of lists, the number of items of a list of the policy in question, and the guesses of its rewards to come.

    Arguments:
        chosen, policy: (n,) as `CascadeDR` takes them.
    """

    log: SlateLog
    length: float
    chosen: Float[np.ndarray, " n"]
    policy: Float[np.ndarray, " n"]


def listed(
    decisions: Sequence[Decision],
    drawn: Sequence[Drawn],
    guesses: Sequence[Float[np.ndarray, " c"]],
    estimator: str,
    *,
    seed: int = 0,
    least: float = LEAST,
) -> Estimate:
    """The reward an edition that a policy would have had, with a 95 % interval by the bootstrap over editions.

    Arguments:
        decisions: the log; editions whose places were not logged are left out.
        drawn: for each of them editions that the policy in question would have made, in the order in which they are read.
        guesses: for each of them a model's guess of the candidates' rewards.
        estimator: iips, rips or cascade-dr.
        least: the effective number of items (iips) or of lists (the others) below which it is refused.

    Raises `TooFew`, `UsageError` for an unknown estimator.
    """
    if estimator not in LISTS:
        raise unknown("estimator of lists", estimator, LISTS)
    able = [i for i, one in enumerate(decisions) if one.places is not None]
    if not able:
        raise TooFew("no edition of the log has the probabilities of its places: editions made from now on would work, and snipw and dr do")
    found = rows([decisions[i] for i in able], [drawn[i] for i in able], [guesses[i] for i in able])
    log = found.log
    items = np.append(np.diff(log.slate) == 0, False)  # all but the end of each list
    if estimator == "iips":
        weights = log.by_item_policy / log.by_item
        counted, rounds = weights[items], IIPS()(log)
    else:
        cascade, policy = log.both_cascades()
        weights = policy / cascade
        counted = weights[~items]
        rounds = RIPS()(log) if estimator == "rips" else CascadeDR(found.chosen, found.policy)(log)
    result = estimated(rounds, counted, seed=seed, least=least, of="items" if estimator == "iips" else "lists")
    supported(log.by_list(weights * items), found.length)
    return result


def supported(totals: Float[np.ndarray, " s"], length: float) -> None:
    """Refuse weights that add up to another number of items than the policy in question shows: what it shows was not counted."""
    mean, error = float(totals.mean()), float(totals.std(ddof=1) / np.sqrt(len(totals))) if len(totals) > 1 else np.inf
    if abs(mean - length) > max(FAR * error, PART * length):
        raise TooFew(
            f"the weights of a list add up to {mean:.2f} items (± {error:.2f}), and the policy in question shows {length:.2f}: its lists "
            "were hardly ever drawn; shorter editions, iips, or snipw and dr, which ask for items alone, would work"
        )


def rows(decisions: Sequence[Decision], drawn: Sequence[Drawn], guesses: Sequence[Float[np.ndarray, " c"]]) -> Lists:
    """All places of all lists."""
    places = [one.places for one in decisions if one.places is not None]
    lengths = [len(one.order) + 1 for one in places]
    both = [shares(one.order.tolist(), some) for one, some in zip(places, drawn, strict=True)]
    told = [to_come(one.order.tolist(), some, guess) for one, some, guess in zip(places, drawn, guesses, strict=True)]
    log = SlateLog(
        slate=np.repeat(np.arange(len(places)), lengths),
        place=np.concatenate([np.arange(length) for length in lengths]),
        reward=np.concatenate([earned(one, where) for one, where in zip(decisions, places, strict=True)]),
        by_item=np.concatenate([one.by_item for one in places]),
        by_item_policy=np.concatenate([by_item for by_item, _ in both]),
        cascade=np.concatenate([one.cascade for one in places]),
        cascade_policy=np.concatenate([cascade for _, cascade in both]),
    )
    length = float(np.mean([np.mean([len(one) for one in some]) for some in drawn]))
    return Lists(log, length, np.concatenate([chosen for chosen, _ in told]), np.concatenate([policy for _, policy in told]))


def earned(decision: Decision, places: Places) -> Float[np.ndarray, " p"]:
    """What came of each place; nothing of the end."""
    return np.append(decision.rewards[places.order], 0.0)


def to_come(order: Sequence[int], drawn: Drawn, guess: Float[np.ndarray, " c"]) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """What the guesses say of this list from each place on: with the item that was chosen there, and averaged over the policy's own.

    Both are means over the drawn editions that are the same so far. Where there are none, the weights beside them are 0.

    >>> found = to_come((0, 1), [(0, 1), (0, 2), (2,)], np.array([1.0, 2.0, 4.0]))
    >>> found[0].tolist(), found[1].round(3).tolist()
    ([4.0, 2.0, 0.0], [4.0, 3.0, 0.0])
    """
    alike = list(drawn)
    chosen, policy = np.zeros(len(order) + 1), np.zeros(len(order) + 1)
    for k in range(len(order) + 1):
        policy[k] = np.mean([guess[list(one[k:])].sum() for one in alike]) if alike else 0.0
        alike = [one for one in alike if at(one, k) == at(order, k)]
        chosen[k] = np.mean([guess[list(one[k:])].sum() for one in alike]) if alike else 0.0
    return chosen, policy
