"""A thousand simulated readers as one vectorised gymnasium environment; each is what `ReaderEnv` makes of it alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from jaxtyping import Bool, Float, Int

from heedful.diet.world.parameters import Parameters
from heedful.diet.world.requests import Requests, Rules
from heedful.diet.world.single import Observation, observed, space
from heedful.diet.world.world import World

Flags = Bool[np.ndarray, " r"]


class ReadersEnv(VectorEnv[Observation, Int[np.ndarray, " r"], Float[np.ndarray, " r"]]):
    """Readers 0 to r - 1 of a simulated world, in step; a reader whose day is over waits (an empty mask) until all days are.

    >>> env = ReadersEnv(3, Parameters(candidates=8))
    >>> seen, info = env.reset(seed=0)
    >>> seen["candidates"].shape, info["action_mask"].shape
    ((3, 8, 41), (3, 9))
    >>> env.step(np.array([0, 1, 8]))[2].tolist()       # the third closes the day
    [False, False, True]

    Arguments: as of `ReaderEnv`; there is no reset of single readers (AutoresetMode.DISABLED).
    """

    def __init__(self, readers: int, parameters: Parameters | None = None, rules: Rules | None = None) -> None:
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.DISABLED}
        self.num_envs, self.parameters, self.rules = readers, parameters or Parameters(), rules or Rules()
        self.single_observation_space = space(self.parameters)
        self.single_action_space = spaces.Discrete(self.parameters.candidates + 1)
        self.observation_space = batch_space(self.single_observation_space, readers)
        self.action_space = batch_space(self.single_action_space, readers)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Observation, dict[str, Any]]:
        """The first morning; the seed names the world that all readers are of."""
        super().reset(seed=seed)
        chosen = int(self.np_random.integers(2**31)) if seed is None else seed
        self.requests = Requests(World(self.num_envs, self.parameters, chosen, 0, self.rules.minutes), self.rules)
        return observed(self.requests), self.told()

    def step(self, actions: Int[np.ndarray, " r"]) -> tuple[Observation, Float[np.ndarray, " r"], Flags, Flags, dict[str, Any]]:
        """One action of each; those of readers that wait change nothing."""
        parts = self.requests.request(np.asarray(actions))
        total = np.sum(list(parts.values()), axis=0)
        flags = self.requests.terminated.copy(), self.requests.truncated.copy()
        return observed(self.requests), total, *flags, {**self.told(), "rewards": parts}

    def told(self) -> dict[str, Any]:
        """Which actions do anything, and which day it is."""
        return {"action_mask": self.requests.mask(), "day": np.full(self.num_envs, self.requests.world.day)}
