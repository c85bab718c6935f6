"""Whether a mask surely keeps every query from later keys: what a cache of the past can serve."""

from __future__ import annotations

from heedful.attention.masks.algebra import And, Or
from heedful.attention.masks.at import At
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.dilated import Dilated
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.window import Window


def looks_back(mask: Mask | None) -> bool:
    """True where it follows from the rule itself: causal, a window with nothing ahead, `&` of any such, `|` of only such.

    >>> from heedful.masks import Blocks, Causal, Sinks, Window
    >>> looks_back(Causal() & Blocks(4)), looks_back(Window(4) | Sinks(1)), looks_back(None)
    (True, False, False)
    """
    if isinstance(mask, Window):
        return mask.ahead == 0
    if isinstance(mask, And):
        return any(looks_back(part) for part in mask.parts)
    if isinstance(mask, Or):
        return all(looks_back(part) for part in mask.parts)
    if isinstance(mask, At):
        return looks_back(mask.part)
    return isinstance(mask, Causal | Dilated)
