"""Window: near keys and the first few, in the pass and in the cache (Xiao et al. 2023, StreamingLLM, arXiv 2309.17453)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int
from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.window import Window as Near
from heedful.manage.options.eviction import best, edges
from heedful.manage.options.option import PHASES, Option, number
from heedful.manage.seen import Seen


@final
@dataclass(frozen=True)
class Window(Option):
    """Each query sees `size` keys that end at its own (around it, where the layer looks ahead too) and the first `sinks`.

    The cache is a ring of `size` keys beside the pinned sinks: it never grows.

    >>> print(Window(2, 1).mask().draw(4, 4))
    ■□□□
    ■■□□
    ■■■□
    ■□■■
    >>> Window(2, 1).attended(4), Window(2, 1).kept(4), Window(2, 1).kept(2)
    (9, 3, 2)
    """

    size: int
    sinks: int = 4

    word = "window"
    phases = frozenset(PHASES)
    ring = True

    def __post_init__(self) -> None:
        number("window(size,sinks)", "size", self.size, 1)
        number("window(size,sinks)", "sinks", self.sinks, 0)

    def mask(self, causal: bool = True) -> Mask:
        """Window or sinks."""
        ahead = 0 if causal else self.size // 2
        near = Near(self.size - ahead, ahead)
        return near | Sinks(self.sinks) if self.sinks else near

    def later(self) -> Mask:
        """As in the pass."""
        return self.mask()

    def keep(self, seen: Seen, length: int) -> Int[Tensor, "b g n"]:
        """The first and the last keys that a query at the end may see."""
        return best(seen, length, self.kept(length), edges(seen, length, self.sinks))

    def kept(self, length: int) -> int:
        """Window and sinks."""
        return min(length, self.size + self.sinks)

    def attended(self, length: int, causal: bool = True) -> int:
        """Window and sinks of every query, each key once."""
        ahead = 0 if causal else self.size // 2
        q = np.arange(length, dtype=np.int64)
        first, last = np.maximum(q - (self.size - ahead) + 1, 0), np.minimum(q + ahead, length - 1)
        pinned = np.minimum(self.sinks, first)
        later = np.zeros_like(q) if causal else np.clip(min(self.sinks, length) - 1 - last, 0, None)
        return int((last - first + 1 + pinned + later).sum())
