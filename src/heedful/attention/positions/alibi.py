"""Attention with linear biases: each head forgets with distance at its own rate (Press et al. 2021, 2108.12409)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.attention.positions.position import Position
from heedful.errors import ShapeError


class ALiBi(Position):
    """Adds -slope · |i - j| to the scores of query position i and key position j.

    >>> import torch
    >>> ALiBi().bias(8, torch.tensor([2]), torch.arange(3))[:2, 0]
    tensor([[-1.0000, -0.5000,  0.0000],
            [-0.5000, -0.2500,  0.0000]])

    Args:
        slopes: one a head; the published geometric ones for the number of heads asked about unless given.
        symmetric: False for slope · (j - i) as the paper's causal models have it, which favours later keys where a
            mask lets them through.

    Raises:
        ShapeError: the number of slopes is not the number of heads.
    """

    name = "alibi"
    adds_bias = True
    shifts = True

    def __init__(self, slopes: Sequence[float] | None = None, symmetric: bool = True) -> None:
        super().__init__()
        self.slopes = None if slopes is None else tuple(float(slope) for slope in slopes)
        self.symmetric = symmetric

    def bias(self, heads: int, q: Int[Tensor, " q"], k: Int[Tensor, " k"]) -> Float[Tensor, "h q k"]:
        """The penalty of each head, query and key."""
        slopes = published_slopes(heads) if self.slopes is None else self.slopes
        if len(slopes) != heads:
            raise ShapeError(f"ALiBi was given {len(slopes)} slopes for {heads} heads: one a head, or none for the published ones")
        ahead = k[None, :] - q[:, None]
        nearness = -ahead.abs() if self.symmetric else ahead
        return torch.tensor(slopes, device=q.device)[:, None, None] * nearness

    def extra_repr(self) -> str:
        """What tells one from another."""
        return f"slopes={self.slopes}, symmetric={self.symmetric}"


def published_slopes(heads: int) -> tuple[float, ...]:
    """2^(-8/n), 2^(-16/n), ... for n = 2^m heads; otherwise those of the 2^m below, then every second of 2^(m+1).

    >>> published_slopes(4)
    (0.25, 0.0625, 0.015625, 0.00390625)
    """
    below = 2 ** int(math.log2(heads))
    between = tuple(2.0 ** (-4.0 * rank / below) for rank in range(1, 2 * below, 2))
    return (*(2.0 ** (-8.0 * rank / below) for rank in range(1, below + 1)), *between[: heads - below])
