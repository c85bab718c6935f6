"""H2O: the keys that drew most attention so far, and the latest (Zhang et al. 2023, arXiv 2306.14048, algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from jaxtyping import Float
from torch import Tensor

from heedful.manage.options.eviction import Eviction
from heedful.manage.options.observed import drawn
from heedful.manage.seen import Seen


@final
@dataclass(frozen=True)
class HeavyHitters(Eviction):
    """Half of `size` for the latest keys, half for those with the largest sum of weights over all queries of the pass.

    >>> HeavyHitters(512).name, HeavyHitters(512).kept(8192)
    ('h2o(512)', 512)
    """

    word = "h2o"

    @property
    def pinned(self) -> int:
        """Half of them."""
        return self.size // 2

    def ranks(self, seen: Seen, length: int) -> Float[Tensor, "b g k"]:
        """Summed weights, over the query heads of a key/value head too."""
        return drawn(seen, length)
