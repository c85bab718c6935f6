"""The store and the clock behind the pages."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import final

from heedful.diet.day.serving import judge, serving
from heedful.diet.day.today import Today, make, morning, of_edition, today
from heedful.diet.intake.poll import Manners, due, poll
from heedful.diet.store.rows import Source
from heedful.diet.store.store import Store


@final
class Room:
    """One reader's store, and what is done with it one at a time.

    Arguments:
        now: the clock, seconds since 1970.
        manners: how sources are asked.
    """

    def __init__(self, store: Store, now: Callable[[], float] = time.time, manners: Manners = Manners()) -> None:  # noqa: B008 - frozen
        self.store, self.now, self.manners = store, now, manners
        self.making, self.asking, self.stopped = Lock(), Lock(), Event()

    def edition(self, again: bool = False, minutes: float | None = None) -> Today:
        """The edition of the day, made where there is none yet; two who ask at once are given the same."""
        with self.making:
            now = self.now()
            found = None if again else today(self.store, now)
            return found or of_edition(
                self.store, make(self.store, morning(self.store, now, minutes, int(now) if again else 0, serving(self.store)))
            )

    def poll(self, sources: Sequence[Source] | None = None) -> tuple[int, list[str]]:
        """Ask sources, those that are due by default: how many new items came, and what went wrong; then judge the models."""
        with self.asking:
            now, new, wrong = self.now(), 0, []
            for one in poll(self.store, now, due(self.store, now) if sources is None else sources, self.manners):
                new += one.new
                if one.error:
                    wrong.append(f"{one.source.title or one.source.address}: {one.error}")
                if self.stopped.is_set():
                    break
            judge(self.store, now)
            return new, wrong
