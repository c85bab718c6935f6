"""Streaming: a whole pass, then the last keys and the first few (Xiao et al. 2023, StreamingLLM, arXiv 2309.17453, section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from jaxtyping import Int
from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.window import Window
from heedful.manage.options.eviction import best, edges
from heedful.manage.options.full import whole
from heedful.manage.options.option import Option, number
from heedful.manage.seen import Seen


@final
@dataclass(frozen=True)
class Streaming(Option):
    """The cache is a ring of `recent` keys beside `sinks` pinned ones; the pass before it sees everything.

    >>> Streaming(508, 4).name, Streaming(508, 4).kept(8192), Streaming(508, 4).mask() is None
    ('streaming(508,4)', 512, True)
    """

    recent: int
    sinks: int = 4

    word = "streaming"
    phases = frozenset({"decode"})
    ring = True

    def __post_init__(self) -> None:
        number("streaming(recent,sinks)", "recent", self.recent, 1)
        number("streaming(recent,sinks)", "sinks", self.sinks, 0)

    @property
    def shared(self) -> bool:
        """One ring for all query heads of a key/value head."""
        return True

    def later(self) -> Mask:
        """The ring and the sinks."""
        return Window(self.recent) | Sinks(self.sinks) if self.sinks else Window(self.recent)

    def keep(self, seen: Seen, length: int) -> Int[Tensor, "b g n"]:
        """The first and the last keys that a query at the end may see."""
        return best(seen, length, self.kept(length), edges(seen, length, self.sinks))

    def kept(self, length: int) -> int:
        """Ring and sinks."""
        return min(length, self.recent + self.sinks)

    def attended(self, length: int, causal: bool = True) -> int:
        """All pairs: the pass is whole."""
        return whole(length, causal)
