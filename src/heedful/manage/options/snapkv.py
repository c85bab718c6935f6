"""SnapKV: the keys that the last queries look at, with their neighbours (Li et al. 2024, arXiv 2404.14469, section 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool1d

from heedful.manage.options.eviction import Eviction
from heedful.manage.options.observed import last_weights
from heedful.manage.seen import Seen


@final
@dataclass(frozen=True)
class SnapKV(Eviction):
    """The last window (64 keys, or half of `size`) stays, and the keys of the largest mean weight in it, pooled over five places.

    >>> SnapKV(512).name, SnapKV(512).kept(8192), SnapKV(512).window, SnapKV(64).window
    ('snapkv(512)', 512, 64, 32)
    """

    word = "snapkv"
    pooled: ClassVar[int] = 5
    widest: ClassVar[int] = 64

    @property
    def window(self) -> int:
        """How many of the last queries are asked."""
        return max(1, min(self.widest, self.size // 2))

    @property
    def pinned(self) -> int:
        """The window."""
        return self.window

    @property
    def evidence(self) -> str:
        """The window's weights."""
        return f"{self.word} {self.window}"

    def ranks(self, seen: Seen, length: int) -> Float[Tensor, "b g k"]:
        """Mean weights of the window's queries and of the query heads of a key/value head, smoothed over places."""
        return avg_pool1d(last_weights(seen, length, self.window), self.pooled, stride=1, padding=self.pooled // 2)
