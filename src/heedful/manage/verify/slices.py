"""The loss by place in the sequence and by length of the sequence, in steps of two: where a mean would hide it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import numpy as np

from heedful.manage.verify.bound import upper_bound
from heedful.manage.verify.pair import Pair

FIRST: Final = 64  # places below which no slice is cut
Axis = Literal["position", "length"]


@dataclass(frozen=True, slots=True)
class Slice:
    """The places from `start` to before `end` of an axis: their mean loss, its 95 % bound, KL, how many places and sequences."""

    axis: Axis
    start: int
    end: int
    mean: float
    upper: float
    kl: float | None
    places: int
    sequences: int


def slices(found: Sequence[Pair]) -> tuple[Slice, ...]:
    """By position where a sequence has several, by length where lengths differ by a step at least."""
    if all(len(pair.place) == 1 for pair in found):
        return ()
    by_place = sliced(found, "position", max(int(pair.place[-1]) for pair in found) + 1, lambda pair: pair.place)
    lengths = {step(pair.length) for pair in found}
    if len(lengths) == 1:
        return by_place
    longest = max(pair.length for pair in found) + 1
    return by_place + sliced(found, "length", longest, lambda pair: np.full(len(pair.place), pair.length))


def sliced(found: Sequence[Pair], axis: Axis, top: int, at: Callable[[Pair], np.ndarray]) -> tuple[Slice, ...]:
    """The slices of one axis that hold anything."""
    edges = [0, FIRST]
    while edges[-1] < top:
        edges.append(2 * edges[-1])
    slices = []
    for start, end in pairwise(edges):
        inside = [(pair, (at(pair) >= start) & (at(pair) < end)) for pair in found]
        held = [(pair, places) for pair, places in inside if places.any()]
        if held:
            slices.append(slice_of(axis, start, min(end, top), held))
    return tuple(slices)


def slice_of(axis: Axis, start: int, end: int, held: Sequence[tuple[Pair, np.ndarray]]) -> Slice:
    """The figures of one slice."""
    sums = np.array([pair.lost[inside].sum() for pair, inside in held])
    counts = np.array([float(inside.sum()) for _, inside in held])
    bound = upper_bound(sums, counts)
    kl = [pair.kl[inside] for pair, inside in held if len(pair.kl)]
    return Slice(axis, start, end, bound.mean, bound.upper, float(np.concatenate(kl).mean()) if kl else None, int(counts.sum()), len(held))


def step(length: int) -> int:
    """Which slice a length falls into.

    >>> step(10), step(64), step(127), step(128)
    (0, 1, 1, 2)
    """
    return max(0, length // FIRST).bit_length()
