"""A clock that can be stopped: between two pieces of timed work something else runs, as it does in a model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from heedful.cost.measure import Clock

BESIDE = 1 << 20  # numbers that pass through the caches in between: more than a core's second-level cache holds


class Stopwatch:
    """Seconds that have passed, but for those `aside`.

    >>> watch = Stopwatch("cpu")
    >>> began = watch()
    >>> with watch.aside():
    ...     time.sleep(0.2)
    >>> watch() - began < 0.1
    True
    """

    def __init__(self, device: str) -> None:
        self.clock, self.stopped = clock(device), 0.0
        self.beside = torch.ones(BESIDE) if device == "cpu" else None

    def __call__(self) -> float:
        """Seconds by the clock, without those aside."""
        return self.clock() - self.stopped

    @contextmanager
    def aside(self) -> Iterator[None]:
        """What is done within does not count."""
        began = self.clock()
        try:
            yield
        finally:
            self.stopped += self.clock() - began

    def cool(self) -> None:
        """Put other things into the caches, as the layers between two attentions do; not counted."""
        if self.beside is not None:
            with self.aside():
                self.beside.mul_(1.0)


def clock(device: str) -> Clock:
    """Where one thread does all the work, its own time: other programs on the machine do not count. Else that of the world."""
    return time.thread_time if device == "cpu" and torch.get_num_threads() == 1 else time.perf_counter
