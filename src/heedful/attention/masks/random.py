"""Random: each query sees a few keys drawn by chance (Zaheer et al. 2020, BigBird, arXiv 2007.14062, section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Bool
from torch import Tensor

from heedful.attention.masks.arguments import seed, whole
from heedful.attention.masks.chance import draw, drawn
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth, four


@final
@dataclass(frozen=True, repr=False)
class Random(Mask):
    """`keys` different keys for each query, the same ones for every sequence and head; all of them where there are fewer.

    Whether a pair is drawn is a hash of the seed and its place, so nothing is stored and nothing depends on the device.
    More keys change the draw.

    >>> Random(2, seed=0).dense(6, 6)[0, 0].sum(-1)
    tensor([2, 2, 2, 2, 2, 2])
    """

    keys: int
    seed: int = 0

    def __post_init__(self) -> None:
        whole("Random", "keys", self.keys, 1)
        seed("Random", self.seed)

    @property
    def stable(self) -> bool:
        """More keys change the draw."""
        return False

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        return drawn(self.seed, q, k, lengths.k, self.keys)

    def rows(
        self, q_start: int, q_stop: int, q_len: int, k_len: int, device: torch.device | str | None = None
    ) -> Bool[Tensor, "#b #h #q #k"]:
        """The same, drawing `keys` numbers a query instead of asking about all pairs."""
        self.fits(Lengths(q_len, k_len))
        at = torch.device("cpu" if device is None else device)
        q = torch.arange(q_start, q_stop, device=at)[:, None] + (k_len - q_len)
        turns = min(self.keys, k_len)
        table = torch.zeros(q_stop - q_start, k_len, dtype=torch.bool, device=at)
        return four(table if k_len == 0 else table.scatter(1, draw(self.seed, q, torch.arange(turns, device=at), k_len, turns), True))

    def density(self, q_len: int, k_len: int) -> float:
        """Closed form."""
        self.fits(Lengths(q_len, k_len))
        return min(self.keys, k_len) / k_len if q_len and k_len else 0.0
