"""Days of simulated readers under a policy, and what they were worth to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.policy.policy import Feedback, Picks, Policy
from heedful.diet.reward import Reward, Signals
from heedful.diet.world.looks import offer
from heedful.diet.world.reading import Response
from heedful.diet.world.world import World


@dataclass(frozen=True, eq=False)
class Day:
    """One day of r readers under a policy.

    Arguments:
        feedback: what was offered, picked and earned.
        signals: what was seen of it, (r, l).
        worth: (r,) hidden: what the day was worth, in minutes well spent.
        planned, read: (r,) minutes of the editions, and minutes that were really read.
        here: (r,) 1 for those who came.
        session: (r,) 1 where the day was worth its minutes, -1 where not, 0 for those who stayed away.
    """

    feedback: Feedback
    signals: Signals
    worth: Float[np.ndarray, " r"]
    planned: Float[np.ndarray, " r"]
    read: Float[np.ndarray, " r"]
    here: Float[np.ndarray, " r"]
    session: Float[np.ndarray, " r"]


def lived(world: World, policy: Policy, days: int, reward: Reward | None = None, seed: int = 0) -> Iterator[Day]:
    """So many days: each morning the policy chooses, the readers read, and the next morning it learns what came of it.

    >>> from heedful.diet.policy.beliefs import Beliefs
    >>> from heedful.diet.policy.prior import Prior
    >>> from heedful.diet.policy.topk import TopK
    >>> world = World(readers=4, seed=0)
    >>> [day.worth.shape for day in lived(world, TopK(Beliefs(4, Prior.flat(41))), days=2)]
    [(4,), (4,)]
    """
    rng, earns = np.random.default_rng(seed), reward or Reward()
    for _ in range(days):
        world.morning()
        offered = offer(world)
        picks = policy.choose(offered, rng)
        responses = [world.offer(picks[:, place]) for place in range(picks.shape[1])]
        here = world.here.astype(float)
        evening = world.evening()
        signals = seen(responses, picks)
        feedback = Feedback(offered, picks, earns(signals))
        policy.update(feedback)
        yield Day(feedback, signals, world.gained, offered.times(picks).sum(1), world.spent, here, evening.session)


def seen(responses: list[Response], picks: Picks) -> Signals:
    """The observable part of responses, (r, l) each."""
    columns = {name: [vars(one)[name] for one in responses] for name in Signals.__dataclass_fields__}
    return Signals(**{name: np.stack(found, axis=1) if found else np.zeros(picks.shape) for name, found in columns.items()})
