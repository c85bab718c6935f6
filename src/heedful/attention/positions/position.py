"""What a position scheme is: how the places of queries and keys enter the scores."""

from __future__ import annotations

from abc import ABC

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.attention.masks.mask import Mask


class Position(nn.Module, ABC):
    """Rotates (or adds to) queries and keys, or adds a bias to the scores, or both.

    Positions are integer tensors (q,) and (k,); `attend` gives queries k_len - q_len ... k_len - 1 and keys 0 ... k_len - 1.
    """

    name: str
    adds_bias: bool = False  # whether `bias` gives one: known without computing it
    shifts: bool = False  # whether what `bias` gives depends on how far apart query and key are, and on nothing else

    def rotate(self, x: Float[Tensor, "b n t d"], positions: Int[Tensor, " t"]) -> Float[Tensor, "b n t d"]:
        """Queries or keys with their positions in them; unchanged unless the scheme works this way."""
        return x

    def bias(self, heads: int, q: Int[Tensor, " q"], k: Int[Tensor, " k"]) -> Float[Tensor, "#h q k"] | None:
        """What is added to the scores of `heads` query heads; None unless the scheme works this way."""
        return None

    def reach(self) -> Mask | None:
        """The pairs beyond which nothing has any weight under this scheme; None where it shuts none out."""
        return None

    def relative(self, heads: int, q_len: int, k_len: int, device: torch.device) -> Float[Tensor, "#h n"] | None:
        """The bias as one number for each distance, that of query i and key j at j - i + q_len - 1; None where that is not all of it."""
        if not self.shifts:
            return None
        # The last query stands at the last key: query 0 and key 0 are k_len - q_len apart.
        line = self.bias(heads, torch.zeros(1, dtype=torch.int64, device=device), torch.arange(1 - k_len, q_len, device=device))
        return None if line is None else line[:, 0]
