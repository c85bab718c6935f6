"""What a position scheme is: how the places of queries and keys enter the scores."""

from __future__ import annotations

from abc import ABC

from jaxtyping import Float, Int
from torch import Tensor, nn


class Position(nn.Module, ABC):
    """Rotates (or adds to) queries and keys, or adds a bias to the scores, or both.

    Positions are integer tensors (q,) and (k,); `attend` gives queries k_len - q_len ... k_len - 1 and keys 0 ... k_len - 1.
    """

    name: str
    adds_bias: bool = False  # whether `bias` gives one: known without computing it

    def rotate(self, x: Float[Tensor, "b n t d"], positions: Int[Tensor, " t"]) -> Float[Tensor, "b n t d"]:
        """Queries or keys with their positions in them; unchanged unless the scheme works this way."""
        return x

    def bias(self, heads: int, q: Int[Tensor, " q"], k: Int[Tensor, " k"]) -> Float[Tensor, "#h q k"] | None:
        """What is added to the scores of `heads` query heads; None unless the scheme works this way."""
        return None
