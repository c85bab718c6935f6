"""A world of simulated readers, day by day and item by item: one of them or thousands at once, each the same either way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from heedful.diet.world.items import NORMALS, UNIFORMS, Items, Press, arrived
from heedful.diet.world.parameters import Parameters
from heedful.diet.world.readers import Readers
from heedful.diet.world.reading import Met, Response, chance, promise, respond
from heedful.errors import UsageError


@dataclass(frozen=True, eq=False)
class Evening:
    """How the day was, (r,): `session` 1 where it was worth its minutes and -1 where not, `back` 1 where the reader comes tomorrow."""

    session: Float[np.ndarray, " r"]
    back: Float[np.ndarray, " r"]


class World:
    """Readers `first`, `first` + 1, ... of the world of a seed, with `minutes` a day each. A simulator.

    Every reader has a generator of its own, from which a day takes the same numbers whatever is offered: reader 7 is the same alone
    as among a thousand, and two policies meet the same items and the same luck.

    >>> world = World(readers=3, parameters=Parameters(candidates=5), seed=0)
    >>> world.morning().minutes.shape
    (3, 5)
    >>> world.offer(np.array([0, 4, -1])).opened.shape     # item 0, item 4, none
    (3,)
    >>> world.evening().back.shape
    (3,)

    Raises `UsageError` for no readers, or minutes that are not above 0.
    """

    def __init__(self, readers: int, parameters: Parameters | None = None, seed: int = 0, first: int = 0, minutes: float = 30.0) -> None:
        if readers < 1 or first < 0 or not 0 < minutes < float("inf"):
            raise UsageError(f"{readers} readers from number {first} with {minutes:g} minutes: one or more, from 0, above 0 would work")
        self.p = p = parameters or Parameters()
        self.minutes = minutes
        self.press = Press.drawn(p, np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(0,))))
        keys = (np.random.SeedSequence(seed, spawn_key=(1, first + i)) for i in range(readers))
        self.generators = [np.random.default_rng(key) for key in keys]
        self.readers = Readers.drawn(p, self.normals(Readers.numbers(p)))
        self.day = -1
        self.back = np.ones(readers)
        self.items: Items | None = None

    @property
    def count(self) -> int:
        """How many readers."""
        return len(self.generators)

    def normals(self, count: int) -> Float[np.ndarray, "r k"]:
        """So many normal numbers of each reader's own."""
        return np.stack([rng.standard_normal(count) for rng in self.generators])

    def uniforms(self, count: int) -> Float[np.ndarray, "r k"]:
        """So many uniform numbers of each reader's own."""
        return np.stack([rng.random(count) for rng in self.generators])

    def morning(self) -> Items:
        """The next day begins, and its items are there; readers that stay away today have no minutes."""
        p, r, n = self.p, self.count, self.p.candidates
        normals, uniforms = self.normals(n * NORMALS + p.topics + 1), self.uniforms(n * UNIFORMS + 1)
        self.day += 1
        if self.day:
            self.readers.night(p, normals[:, n * NORMALS : -1])
        self.items = arrived(p, self.press, normals[:, : n * NORMALS].reshape(r, n, -1), uniforms[:, :-1].reshape(r, n, -1))
        self.last = normals[:, -1], uniforms[:, -1]
        self.here = self.back > 0
        self.left = np.where(self.here, self.minutes, 0.0)
        self.spent, self.gained, self.place = np.zeros(r), np.zeros(r), np.zeros(r)
        self.told = np.zeros((r, p.topics * p.stories))
        self.shown = np.zeros((r, n), dtype=bool)
        return self.items

    def today(self) -> Items:
        """The items of the day; `UsageError` before the first morning."""
        if self.items is None:
            raise UsageError("no day has begun in this world: morning() first would work")
        return self.items

    def allowed(self) -> Bool[np.ndarray, "r n"]:
        """(r, n) the items that fit into the minutes that are left and were not offered yet."""
        found: Bool[np.ndarray, "r n"] = (self.today().minutes <= self.left[:, None] + 1e-9) & ~self.shown
        return found

    def rates(self) -> Float[np.ndarray, "r n"]:
        """Hidden: what each item is worth to each reader now, a minute."""
        items, again = self.today(), np.take_along_axis(self.told, self.today().story, 1)
        tired = self.p.tired * (self.spent / self.minutes)[:, None]
        found: Float[np.ndarray, "r n"] = promise(self.p, self.readers, items) + items.quality - self.p.again * again - tired
        return found

    def meet(self, choice: Int[np.ndarray, " r"]) -> Met:
        """The chosen items as they are to their readers now."""
        at, items = choice[:, None], self.today()
        one = Items(**{name: _row(column, choice) for name, column in vars(items).items()})
        promised = promise(self.p, self.readers, one)[:, 0]
        again = np.take_along_axis(self.told, np.take_along_axis(items.story, at, 1), 1)[:, 0]
        worth = promised + one.quality[:, 0] - self.p.again * again - self.p.tired * self.spent / self.minutes
        return Met(one.minutes[:, 0], promised, worth, one.lure[:, 0], one.chances[:, 0], one.noise[:, 0])

    def offer(self, choice: Int[np.ndarray, " r"]) -> Response:
        """One item to each reader, -1 for none; it takes its minutes from the day whether it is read or not.

        Raises `UsageError` for an item that was offered today or does not fit: the budget is never exceeded.
        """
        offered = choice >= 0
        safe = np.where(offered, choice, 0)
        rows = np.arange(self.count)
        if choice.shape != (self.count,) or (offered & ~self.allowed()[rows, safe]).any():
            raise UsageError("an item was offered that does not fit into the minutes left, was offered today or is none: see allowed()")
        met = self.meet(safe)
        response = respond(self.p, self.readers, met, self.place, offered)
        self.shown[rows[offered], choice[offered]] = True
        self.left = self.left - np.where(offered, met.minutes, 0.0)
        self.place = self.place + offered
        self.spent = self.spent + response.minutes
        self.gained = self.gained + response.worth
        topic, story = self.today().topic[rows, safe], self.today().story[rows, safe]
        self.readers.recent[rows, topic] += response.minutes
        self.readers.known[rows, topic] += response.opened
        self.told[rows, story] = np.maximum(self.told[rows, story], response.opened)
        return response

    def evening(self, over: Bool[np.ndarray, " r"] | None = None) -> Evening:
        """The day is over for these readers (all where None): was it worth its minutes, and will they be back?"""
        p, (noise, luck) = self.p, self.last
        over = np.ones(self.count, dtype=bool) if over is None else over
        a_minute, came = self.gained / self.minutes, self.here & over
        keep = 0.5 ** (1 / p.memory_days)
        self.readers.mood = np.where(came, keep * self.readers.mood + (1 - keep) * a_minute, self.readers.mood)
        session = np.where(came, np.sign(a_minute + p.rating_noise * noise / np.sqrt(10.0)), 0.0)
        # a reader who stayed away comes back by the same chance as one who was here
        back = (luck < chance(p.back_base + p.back_worth * self.readers.mood)).astype(float)
        self.back = np.where(over, back, self.back)
        return Evening(session, np.where(over, back, 0.0))


def _row(column: Float[np.ndarray, "r n ..."], choice: Int[np.ndarray, " r"]) -> Float[np.ndarray, "r 1 ..."]:
    """Each reader's chosen row."""
    found: Float[np.ndarray, "r 1 ..."] = column[np.arange(len(choice)), choice][:, None]
    return found
