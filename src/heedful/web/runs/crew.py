"""Forwards side by side, one processor each: whole forwards share nothing, where a product that is cut in two waits for its slower half."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier
from typing import TypeVar, final

import torch

Part = TypeVar("Part")
Made = TypeVar("Made")


@final
class Crew:
    """As many threads as torch would use for one forward, each of which uses one processor.

    >>> Crew(2).each(sum, [[1, 2], [3]])
    [3, 3]
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self.pool: ThreadPoolExecutor | None = None

    def each(self, work: Callable[[Part], Made], parts: Sequence[Part]) -> list[Made]:
        """What comes of each part, in their order; a part alone is worked on here, by all processors."""
        if self.size == 1 or len(parts) < 2:
            return [work(part) for part in parts]
        if self.pool is None:
            self.pool = gathered(self.size)
        return list(self.pool.map(work, parts))


def gathered(size: int) -> ThreadPoolExecutor:
    """The threads, all of them begun: what torch is told in one of them is what threads begun later would take for theirs."""
    pool = ThreadPoolExecutor(size, "heedful-crew", alone)
    met = Barrier(size)
    wait([pool.submit(met.wait) for _ in range(size)])
    torch.set_num_threads(size)
    return pool


def alone() -> None:
    """Let this thread use one processor; torch takes the process's number where a thread first asks for its own, so that is done before."""
    torch.get_num_threads()
    torch.set_num_threads(1)
