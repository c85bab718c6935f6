"""Dense against planned on the clock: they take turns, so that what else the machine does falls on both."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor, nn

from heedful.manage.verify.decoding import Reader

Switch = Callable[[], AbstractContextManager[object]]
T = TypeVar("T")
SLOWER: Final = 1.03  # what three of four rounds must exceed for a plan to count as slower: less is the clock's noise
STEPS: Final = 16  # tokens of a decoding round


@dataclass(frozen=True, slots=True)
class Timing:
    """A measure of both: medians, the quartiles between which half of the rounds lie, and the least.

    `ratios` are dense / planned, round by round.
    """

    name: str
    unit: str
    dense: float
    planned: float
    dense_quartiles: tuple[float, float]
    planned_quartiles: tuple[float, float]
    dense_least: float
    planned_least: float
    ratios: tuple[float, ...]

    @property
    def gain(self) -> float:
        """How many times less the plan takes: the median over rounds."""
        return float(np.median(self.ratios))

    @property
    def slower(self) -> bool:
        """Whether the plan took longer, by more than noise, in three of four rounds and in the quickest of each."""
        return float(np.quantile(self.ratios, 0.75)) < 1 / SLOWER and self.planned_least > SLOWER * self.dense_least


@torch.no_grad()
def prefill(planned: Switch, rounds: int, work: Callable[[], object]) -> Timing:
    """Milliseconds of a pass, `work`."""
    return timing("prefill", "ms", *turns(planned, rounds, work, lambda: 1000 * taken(work)))


@torch.no_grad()
def decode(model: nn.Module, planned: Switch, ids: Int[Tensor, "b t"], rounds: int) -> tuple[Timing, Timing, Timing]:
    """Milliseconds of reading a text into a cache, of a token after it (the median of `STEPS`), and the bytes of that cache."""

    def step() -> tuple[float, float, float]:
        reader, token = Reader(model), ids[:, -1:]
        read = 1000 * taken(lambda: reader.read(ids))
        kept = float(reader.bytes)
        reader.read(token)
        return read, 1000 * float(np.median([taken(lambda: reader.read(token)) for _ in range(STEPS)])), kept

    dense, thin = turns(planned, rounds, lambda: Reader(model).read(ids), step)
    names = (("prefill", "ms"), ("decode", "ms a token"), ("cache", "bytes"))
    read, token, cache = (timing(name, unit, [one[i] for one in dense], [one[i] for one in thin]) for i, (name, unit) in enumerate(names))
    return read, token, cache


def turns(planned: Switch, rounds: int, warm: Callable[[], object], measured: Callable[[], T]) -> tuple[list[T], list[T]]:
    """The dense model and the planned one in turn, another first each round; what a model does once it does in `warm`."""
    dense, thin = list[T](), list[T]()
    for number in range(rounds):
        turn = ((dense, nullcontext), (thin, planned))
        for found, switch in turn if number % 2 == 0 else turn[::-1]:
            with switch(), undisturbed():
                warm()
                found.append(measured())
    return dense, thin


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within it nothing is collected that is no longer in use."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def timing(name: str, unit: str, dense: Sequence[float], thin: Sequence[float]) -> Timing:
    """Medians, quartiles and ratios."""
    ratios = tuple(a / max(b, 1e-12) for a, b in zip(dense, thin, strict=True))
    return Timing(
        name, unit, float(np.median(dense)), float(np.median(thin)), quartiles(dense), quartiles(thin), min(dense), min(thin), ratios
    )


def quartiles(found: Sequence[float]) -> tuple[float, float]:
    """Between these lies the middle half."""
    low, high = np.quantile(found, [0.25, 0.75])
    return float(low), float(high)


def taken(work: Callable[[], object]) -> float:
    """Seconds until the device is done."""
    started = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - started
