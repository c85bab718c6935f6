"""One simulated reader as a gymnasium environment."""

from __future__ import annotations

from typing import Any, Final, cast

import numpy as np
from jaxtyping import Float

from heedful.diet.world.items import LONGEST
from heedful.diet.world.parameters import Parameters
from heedful.diet.world.requests import Requests, Rules
from heedful.diet.world.world import World
from heedful.errors import MissingExtra

try:
    import gymnasium
    from gymnasium import spaces
except ImportError:
    raise MissingExtra("gymnasium", "diet", "the simulated reader as an environment") from None

WIDE: Final = 100.0  # features beyond it are cut off; recent minutes over 10 come nearest

Observation = dict[str, Float[np.ndarray, "..."]]


def space(p: Parameters) -> spaces.Space[Observation]:
    """What is seen: the candidates' features, their minutes, and the share of the day's minutes that is left."""
    n, f = p.candidates, p.topics + p.sources + p.views + 6
    boxes: dict[str, spaces.Space[Any]] = {
        "candidates": spaces.Box(-WIDE, WIDE, (n, f), np.float32),
        "minutes": spaces.Box(0.0, LONGEST, (n,), np.float32),
        "left": spaces.Box(0.0, 1.0, (1,), np.float32),
    }
    return cast("spaces.Space[Observation]", spaces.Dict(boxes))


class ReaderEnv(gymnasium.Env[Observation, np.int64]):
    """A simulated reader's days, one offered item a step. Nothing that comes out of it is a result about people.

    Action i offers candidate i, action n closes the day; `info["action_mask"]` says which do anything. The episode is terminated
    when the minutes of its last day are spent (or the day is closed), truncated at the horizon. `info["rewards"]` has the reward's
    parts: request, delayed, session, back.

    >>> env = ReaderEnv(Parameters(candidates=8))
    >>> seen, info = env.reset(seed=0)
    >>> seen["candidates"].shape, info["action_mask"].shape
    ((8, 41), (9,))
    >>> seen, reward, terminated, truncated, info = env.step(8)
    >>> terminated
    True

    Arguments:
        parameters: of the world.
        rules: what an episode is and pays.
        reader: which reader of the world it is.
    """

    def __init__(self, parameters: Parameters | None = None, rules: Rules | None = None, reader: int = 0) -> None:
        self.parameters, self.rules, self.reader = parameters or Parameters(), rules or Rules(), reader
        self.observation_space = space(self.parameters)
        self.action_space = spaces.Discrete(self.parameters.candidates + 1)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """The first morning of a reader; the seed names the world, as in `World`."""
        super().reset(seed=seed)
        chosen = int(self.np_random.integers(2**31)) if seed is None else seed
        self.requests = Requests(World(1, self.parameters, chosen, self.reader, self.rules.minutes), self.rules)
        return self.seen(), self.told()

    def step(self, action: np.int64 | int) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Offer an item, or close the day."""
        parts = self.requests.request(np.array([action]))
        total = float(sum(part[0] for part in parts.values()))
        info = {**self.told(), "rewards": {name: float(part[0]) for name, part in parts.items()}}
        return self.seen(), total, bool(self.requests.terminated[0]), bool(self.requests.truncated[0]), info

    def seen(self) -> Observation:
        """The observation now."""
        return {name: column[0] for name, column in observed(self.requests).items()}

    def told(self) -> dict[str, Any]:
        """Which actions do anything, and which day it is."""
        return {"action_mask": self.requests.mask()[0], "day": self.requests.world.day}


def observed(requests: Requests) -> Observation:
    """What is seen of every reader, (r, ...)."""
    world = requests.world
    left = np.clip(world.left / world.minutes, 0.0, 1.0)
    return {
        "candidates": np.clip(requests.looks, -WIDE, WIDE),
        "minutes": world.today().minutes.astype(np.float32),
        "left": left[:, None].astype(np.float32),
    }
