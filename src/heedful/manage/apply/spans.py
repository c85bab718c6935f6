"""Learned spans as windows: what a head has taught itself not to look at is neither computed nor kept."""

from __future__ import annotations

from collections.abc import Sequence

from heedful.attention.positions.position import Position
from heedful.layers.span import AdaptiveSpan
from heedful.layers.span.adaptive import GRAIN
from heedful.manage.options.full import Full
from heedful.manage.options.option import Option
from heedful.manage.options.window import Window


def spanned(position: Position | None, options: Sequence[Option]) -> list[Option]:
    """The options of a layer's heads, none of them wider than the head's learned span; as they are where there is none.

    Nothing is lost by it: beyond z + R a weight is e^-10000. Sizes are rounded up to a power of two, so that few groups come of it.

    >>> span = AdaptiveSpan(heads=3, longest=1024, ramp=16, start=0.1)  # z = 102.4
    >>> [option.name for option in spanned(span, [Full(), Window(512, 4), Window(64, 0)])]
    ['window(128,0)', 'window(128,0)', 'window(64,0)']
    >>> spanned(None, [Full()])
    [Full()]
    """
    if not isinstance(position, AdaptiveSpan):
        return list(options)
    return [narrowed(option, size, position.longest) for option, size in zip(options, windows(position), strict=True)]


def windows(span: AdaptiveSpan) -> list[int]:
    """How far each head looks, its own place counted."""
    return [max(GRAIN, 1 << (size - 1).bit_length()) for size in span.windows()]


def narrowed(option: Option, size: int, longest: int) -> Option:
    """The option within a span; caches that evict by other rules stay as they are."""
    wide = isinstance(option, Full) or (isinstance(option, Window) and option.size > size)
    return Window(size, 0) if wide and size < longest else option
