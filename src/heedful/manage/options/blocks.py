"""Blocks: pieces of the sequence that see only themselves, and the first keys (Qiu et al. 2019, BlockBERT, arXiv 1911.02972)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from heedful.attention.masks.blocks import Blocks as Pieces
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.sinks import Sinks
from heedful.manage.options.option import Option, number


@final
@dataclass(frozen=True)
class Blocks(Option):
    """Each query sees the keys of its own block of `size`, counted from the first key, and the first `sinks` keys.

    >>> print(Blocks(2, 1).mask().draw(4, 4))
    ■■□□
    ■■□□
    ■□■■
    ■□■■
    >>> Blocks(2, 1).attended(4), Blocks(2, 1).attended(4, causal=False)
    (8, 10)
    """

    size: int
    sinks: int = 4

    word = "blocks"
    phases = frozenset({"prefill"})

    def __post_init__(self) -> None:
        number("blocks(size,sinks)", "size", self.size, 1)
        number("blocks(size,sinks)", "sinks", self.sinks, 0)

    def mask(self, causal: bool = True) -> Mask:
        """Block or sinks."""
        pieces = Pieces(self.size)
        return pieces | Sinks(self.sinks) if self.sinks else pieces

    def kept(self, length: int) -> int:
        """All keys: later blocks are not known yet to need none."""
        return length

    def attended(self, length: int, causal: bool = True) -> int:
        """Block and sinks of every query, each key once."""
        q = np.arange(length, dtype=np.int64)
        first = q // self.size * self.size
        last = q if causal else np.minimum(first + self.size, length) - 1
        return int((last - first + 1 + np.minimum(self.sinks, first)).sum())
