"""Prefix tuning: keys and values of tokens that never were, before those of the text (Li & Liang 2021, arXiv 2101.00190)."""

from __future__ import annotations

from typing import final

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor, nn


@final
class Prefix(nn.Module):
    """`size` learned keys and values a key/value head, which every query sees and which have no place.

    Values start at zero and keys near it, so that a layer begins by attending a little less to everything.

    >>> Prefix(kv_heads=2, size=3, d=8).keys_values(batch=4)[0].shape
    torch.Size([4, 2, 3, 8])
    """

    def __init__(self, kv_heads: int, size: int, d: int) -> None:
        super().__init__()
        self.k = nn.Parameter(0.02 * torch.randn(kv_heads, size, d))
        self.v = nn.Parameter(torch.zeros(kv_heads, size, d))

    def keys_values(self, batch: int) -> tuple[Float[Tensor, "b g n d"], Float[Tensor, "b g n d"]]:
        """The same for every row."""
        return repeat(self.k, "g n d -> b g n d", b=batch), repeat(self.v, "g n d -> b g n d", b=batch)

    def extra_repr(self) -> str:
        """Its sizes."""
        return f"{self.k.shape[1]} keys for {self.k.shape[0]} heads of {self.k.shape[2]}"
