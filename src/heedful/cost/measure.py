"""How long something takes: the fastest of several runs, or the middle one; rivals take turns, so that a slow moment meets all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import torch

Run = Callable[[], object]
Clock = Callable[[], float]
SHORT = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Patience:
    """When to stop: after `rounds` rounds and `seconds` seconds, both; never after more than `most` rounds.

    In a round each rival runs once, and a quick one again while the round gives it `share` of the slowest one's time.
    """

    seconds: float = 1.0
    rounds: int = 5
    most: int = 200
    share: float = 0.3


def minima(runs: Sequence[Run], patience: Patience = Patience(), clock: Clock = time.perf_counter) -> list[float]:
    """The fewest milliseconds that each run took by the clock, after one run of each to warm up.

    >>> quick, slow = minima([lambda: time.sleep(0.001), lambda: time.sleep(0.01)], Patience(seconds=0.02, rounds=2))
    >>> quick < slow
    True
    """
    best = [timed(run, clock) for run in runs]
    if max(best) < patience.seconds:  # the first runs of something short are no measurement
        best = [timed(run, clock) for run in runs]
    began, done = time.perf_counter(), 0
    while done < patience.most and (done < patience.rounds or time.perf_counter() - began < patience.seconds):
        allowance = patience.share * max(best)
        for place in range(len(runs)):  # each round begins with another: who goes first finds the caches coldest
            each = (place + done) % len(runs)
            best[each] = min(best[each], turn(runs[each], allowance, clock))
        done += 1
    return [1e3 * each for each in best]


def medians(runs: Sequence[Run], patience: Patience = Patience(), clock: Clock = time.perf_counter) -> list[float]:
    """The middle one of the milliseconds that each run took, once a round: what a sum over many of them comes to, as the fastest does not.

    >>> quick, slow = medians([lambda: time.sleep(0.001), lambda: time.sleep(0.01)], Patience(seconds=0.02, rounds=3))
    >>> quick < slow
    True
    """
    for run in runs:
        timed(run, clock)
    found: list[list[float]] = [[] for _ in runs]
    began = time.perf_counter()
    while len(found[0]) < patience.most and (len(found[0]) < patience.rounds or time.perf_counter() - began < patience.seconds):
        first = len(found[0])
        for place in range(len(runs)):
            each = (place + first) % len(runs)
            found[each].append(timed(runs[each], clock))
    return [1e3 * median(times) for times in found]


def turn(run: Run, allowance: float, clock: Clock = time.perf_counter) -> float:
    """The fastest of one run, and of up to four more while the allowance in seconds lasts.

    What is short runs twice in any case: before the first run the caches are the rival's.
    """
    best = spent = timed(run, clock)
    for again in range(4):
        if spent + best > allowance and not (again == 0 and best < SHORT):
            break
        took = timed(run, clock)
        best, spent = min(best, took), spent + took
    return best


def timed(run: Run, clock: Clock = time.perf_counter) -> float:
    """Seconds of one run by the clock, to the end of what it started on an accelerator."""
    settled()
    began = clock()
    run()
    settled()
    return clock() - began


def settled() -> None:
    """Wait for the accelerator, if there is one."""
    if torch.cuda.is_available() and torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()
