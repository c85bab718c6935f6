"""What an engine is: whether it can do some work, and the doing, forward and backward."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from heedful.attention.tiles.work import Found, Given, Gradients, Wanted, Work


class Engine(NamedTuple):
    """One row of the table of engines.

    `why_not(work, wanted)` gives the reason why it cannot do the work, or None, and must look at types, sizes and devices only;
    `forward(work, wanted)` and `backward(work, given)` do it, whichever engine ran forward.
    """

    name: str
    why_not: Callable[[Work, Wanted], str | None]
    forward: Callable[[Work, Wanted], Found]
    backward: Callable[[Work, Given], Gradients]
