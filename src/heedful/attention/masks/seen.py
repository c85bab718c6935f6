"""Which keys a run of neighbouring queries may see, as ranges, from the rule itself: nothing the size of the keys is made."""

from __future__ import annotations

from typing import NamedTuple

from heedful.attention.masks.algebra import And, Not, Or
from heedful.attention.masks.blocks import Blocks
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Lengths, Mask
from heedful.attention.masks.padding import Padding
from heedful.attention.masks.prefix import Prefix
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.window import Window

Ranges = tuple[tuple[int, int], ...]


class Seen(NamedTuple):
    """`some`: every key that any of the queries may see lies in these ranges; `all`: every key in these is seen by each of them.

    Ranges (start, stop) are in order and apart from each other. Where both are the same, no mask is needed within them.
    """

    some: Ranges
    all: Ranges


def seen(mask: Mask | None, low: int, high: int, lengths: Lengths) -> Seen:
    """What the queries at positions `low` to `high`, both included, may see; a rule that is not known may be anything.

    >>> from heedful.masks import Causal, Sinks, Window
    >>> rule = Causal() & (Sinks(4) | Window(512))
    >>> seen(rule, 8191, 8191, Lengths(1, 8192))
    Seen(some=((0, 4), (7680, 8192)), all=((0, 4), (7680, 8192)))
    >>> seen(Window(3), 8, 9, Lengths(2, 10))
    Seen(some=((6, 10),), all=((7, 9),))
    """
    if isinstance(mask, And | Or):
        join = meet if isinstance(mask, And) else union
        some, every = seen(mask.parts[0], low, high, lengths)
        for part in mask.parts[1:]:
            more = seen(part, low, high, lengths)
            some, every = join(some, more.some), join(every, more.all)
        return Seen(some, every)
    if isinstance(mask, Not):
        inner = seen(mask.part, low, high, lengths)
        return Seen(rest(inner.all, lengths.k), rest(inner.some, lengths.k))
    widest, least = bounds(mask, low, high, lengths)
    some = within(*widest, lengths.k)
    return Seen(some, some if least == widest else within(*least, lengths.k))


def bounds(mask: Mask | None, low: int, high: int, lengths: Lengths) -> tuple[tuple[int, int], tuple[int, int]]:
    """The two ranges of one rule, before they are cut to the keys there are."""
    whole, nothing = (0, lengths.k), (0, 0)
    if mask is None:
        return whole, whole
    if isinstance(mask, Causal):
        return (0, high + 1), (0, low + 1)
    if isinstance(mask, Window):
        return (low - mask.size + 1, high + mask.ahead + 1), (high - mask.size + 1, low + mask.ahead + 1)
    if isinstance(mask, Sinks):
        return (0, mask.n), (0, mask.n)
    if isinstance(mask, Prefix) and isinstance(mask.n, int):
        return (0, mask.n), (0, mask.n)
    if isinstance(mask, Blocks):
        first, last = low // mask.size, high // mask.size
        some = (first * mask.size, (last + 1) * mask.size)
        return some, some if first == last else nothing
    if isinstance(mask, Padding):
        return (0, mask.longest) if mask.side == "right" else (lengths.k - mask.longest, lengths.k), nothing
    return whole, nothing


def within(start: int, stop: int, length: int) -> Ranges:
    """The range cut to 0 ... length; none where nothing is left."""
    start, stop = max(start, 0), min(stop, length)
    return ((start, stop),) if start < stop else ()


def meet(one: Ranges, other: Ranges) -> Ranges:
    """What lies in both."""
    if len(one) == 1 and len(other) == 1:  # most often, and at every step
        return within(max(one[0][0], other[0][0]), one[0][1], other[0][1])
    cut = ((max(a, c), min(b, d)) for a, b in one for c, d in other)
    return tuple((start, stop) for start, stop in cut if start < stop)


def union(one: Ranges, other: Ranges) -> Ranges:
    """What lies in either; ranges that touch become one."""
    left, right = list(one), list(other)
    joined: list[tuple[int, int]] = []
    while left or right:  # a merge, which a traced graph can follow where it cannot follow sorted()
        start, stop = (left if not right or (left and left[0][0] <= right[0][0]) else right).pop(0)
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], stop))
        else:
            joined.append((start, stop))
    return tuple(joined)


def rest(ranges: Ranges, length: int) -> Ranges:
    """What of 0 ... length lies in none of them."""
    edges = [0, *(edge for both in ranges for edge in both), length]
    return tuple((start, stop) for start, stop in zip(edges[::2], edges[1::2], strict=True) if start < stop)
