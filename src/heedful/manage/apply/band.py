"""Bands: rules that show the newest keys and the first few, and nothing else; what a ring of keys can hold."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from heedful.attention.masks.algebra import And, Or
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.window import Window


@dataclass(frozen=True, slots=True)
class Band:
    """The newest `size` keys, the query's own among them (None: all of the past), and the first `sinks`.

    >>> Band(4, 1).covers(4), Band(4, 1).covers(5), Band().covers(1_000_000)
    (True, False, True)
    """

    size: int | None = None
    sinks: int = 0

    def covers(self, length: int) -> bool:
        """Whether every query of a sequence sees all of its past."""
        return self.size is None or self.size >= length

    def both(self, other: Band) -> Band | None:
        """What the two share, if that is a band."""
        near, far = sorted((self, other), key=lambda band: (band.size is None, band.size))
        return near if near.size is None or near.sinks <= far.sinks or far.size is None else None


def band_of(mask: Mask | None) -> Band | None:
    """The band that a rule for layers that look back is; None for any other.

    >>> from heedful.masks import Blocks, Causal, Sinks, Window
    >>> band_of(Causal() & (Window(4) | Sinks(1))), band_of(Causal() & Window(9) & Window(3)), band_of(Blocks(4))
    (Band(size=4, sinks=1), Band(size=3, sinks=0), None)
    """
    if mask is None or isinstance(mask, Causal):
        return Band()
    if isinstance(mask, Window):
        return Band(mask.size) if mask.ahead == 0 else None
    if isinstance(mask, Or):
        return near_or_first(mask)
    if isinstance(mask, And):
        return reduce(lambda one, part: None if one is None or part is None else one.both(part), map(band_of, mask.parts))
    return None


def near_or_first(mask: Or) -> Band | None:
    """One window or some sinks."""
    windows = [part for part in mask.parts if isinstance(part, Window)]
    sinks = [part for part in mask.parts if isinstance(part, Sinks)]
    if len(windows) != 1 or windows[0].ahead or len(windows) + len(sinks) != len(mask.parts):
        return None
    return Band(windows[0].size, max(part.n for part in sinks))
