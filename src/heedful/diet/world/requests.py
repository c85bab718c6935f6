"""The world item by item: what one request does to r readers at once, each at the pace of its own day."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from heedful.diet.reward import Reward, Signals
from heedful.diet.world.looks import features
from heedful.diet.world.reading import Response
from heedful.diet.world.world import World
from heedful.errors import UsageError

Rewards = dict[str, Float[np.ndarray, " r"]]


@dataclass(frozen=True)
class Rules:
    """What an episode is, and what it pays.

    Arguments:
        minutes: of a day.
        days: of an episode; when the last day's minutes are spent it is terminated.
        horizon: requests after which it is truncated.
        reward: the weights of what comes of items: at once, and (its `delayed`) when the day closes.
        session: paid when the day closes, times 1 where it was worth its minutes and -1 where not.
        back: paid when the day closes, if the reader will be back tomorrow.
    """

    minutes: float = 30.0
    days: int = 1
    horizon: int = 200
    reward: Reward = field(default_factory=Reward)
    session: float = 1.0
    back: float = 1.0

    def __post_init__(self) -> None:
        if self.days < 1 or self.horizon < 1 or not 0 < self.minutes < float("inf"):
            raise UsageError(f"{self.days} days of {self.minutes:g} minutes, {self.horizon} requests: one or more of each would work")


class Requests:
    """Episodes of a world's readers, in step. A reader whose day is over waits until the days of all are.

    Action i offers candidate i, action n closes the day. An action that `mask` forbids changes nothing, and counts as a request.
    """

    def __init__(self, world: World, rules: Rules) -> None:
        self.world, self.rules = world, rules
        self.asked = np.zeros(world.count, dtype=int)
        self.terminated = np.zeros(world.count, dtype=bool)
        self.truncated = np.zeros(world.count, dtype=bool)
        self.dawn()

    @property
    def over(self) -> Bool[np.ndarray, " r"]:
        """Whose episode is over."""
        return self.terminated | self.truncated

    def dawn(self) -> None:
        """The next day with a reader in it, or the end."""
        while True:
            self.world.morning()
            self.looks = features(self.world).astype(np.float32)
            self.later = np.zeros(self.world.count)
            self.waits = ~self.world.here | self.over
            self.world.evening(~self.world.here)
            if self.world.day + 1 >= self.rules.days:
                self.terminated |= self.waits & ~self.truncated
            if not self.waits.all() or self.world.day + 1 >= self.rules.days:
                return

    def mask(self) -> Int[np.ndarray, "r a"]:
        """(r, n + 1) the actions that do something: items that fit and are new today, and closing the day; none while waiting."""
        allowed = self.world.allowed() & ~self.waits[:, None]
        return np.concatenate([allowed, ~self.waits[:, None]], axis=1).astype(np.int8)

    def request(self, actions: Int[np.ndarray, " r"]) -> Rewards:
        """One action of each reader; what it pays, by kind."""
        n, r = self.world.p.candidates, self.world.count
        actions = np.asarray(actions)
        if actions.shape != (r,) or (actions < 0).any() or (actions > n).any():
            raise UsageError(f"actions of shape {actions.shape} for {r} readers: one from 0 to {n} for each would work")
        wise = self.mask()[np.arange(r), actions] > 0
        response = self.world.offer(np.where(wise & (actions < n), actions, -1))
        now, later = earned(self.rules.reward, response)
        self.later += later
        self.asked += ~self.waits
        closes = ~self.waits & ((wise & (actions == n)) | ~self.world.allowed().any(1))
        rewards = self.close(closes, now)
        self.truncated |= ~self.terminated & (self.asked >= self.rules.horizon)
        self.waits |= self.truncated
        if self.waits.all() and not self.over.all():
            self.dawn()
        return rewards

    def close(self, closes: Bool[np.ndarray, " r"], now: Float[np.ndarray, " r"]) -> Rewards:
        """The days of these readers end."""
        evening = self.world.evening(closes)
        self.waits |= closes
        if self.world.day + 1 >= self.rules.days:
            self.terminated |= closes
        rules = self.rules
        return {
            "request": now,
            "delayed": np.where(closes, self.later, 0.0),
            "session": rules.session * evening.session,
            "back": rules.back * evening.back,
        }


def earned(reward: Reward, response: Response) -> tuple[Float[np.ndarray, " r"], Float[np.ndarray, " r"]]:
    """What an item pays at once, and what it pays later."""
    none = np.zeros_like(response.minutes)
    whole = Signals(
        response.opened, response.minutes, response.finished, response.rating, response.saved, response.revisited, response.later
    )
    at_once = Signals(response.opened, response.minutes, response.finished, response.rating, response.saved, none, none)
    now = reward(at_once)
    return now, reward(whole) - now
