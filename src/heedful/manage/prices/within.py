"""What an option comes to in a layer that sees a window anyway (Mistral, Gemma, gpt-oss): its own attention is the dense one there."""

from __future__ import annotations

from heedful.manage.options.option import Option
from heedful.manage.options.window import Window
from heedful.manage.prices.price import Kind


def within(kind: Kind, option: Option, length: int) -> Option:
    """The option that takes as much as this one does at such a site, in a pass over `length` and in the step behind it.

    Pinned keys are out of sight beyond the layer's window, and an option that keeps no fewer keys than it is all of the layer's.

    >>> from heedful.manage.options.table import parse
    >>> sliding = Kind(2, 2, 8, 8, causal=True, window=64)
    >>> [within(sliding, parse(name), 256).name for name in ("full", "window(16,4)", "window(128,4)", "drop")]
    ['window(64,0)', 'window(16,4)', 'window(64,0)', 'drop']
    >>> within(sliding, parse("full"), 48).name
    'full'
    """
    if kind.window is None or kind.window >= length or option.drops:
        return option
    own = Window(kind.window, 0)
    narrower = option.kept(length) < own.kept(length) and option.attended(length, kind.causal) <= own.attended(length, kind.causal)
    return option if narrower else own
