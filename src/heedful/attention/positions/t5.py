"""T5's relative bias: learned, one number a head for each bucket of distances (Raffel et al. 2020, 1910.10683)."""

from __future__ import annotations

import math

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from heedful.attention.positions.position import Position
from heedful.errors import ShapeError, UsageError


class T5RelativeBias(Position):
    """Adds weight[bucket(j - i), head] to the scores; near distances have a bucket each, far ones share them by logarithm.

    >>> import torch
    >>> T5RelativeBias(heads=4).bias(4, torch.arange(3), torch.arange(5)).shape
    torch.Size([4, 3, 5])

    Args:
        heads: query heads.
        buckets: how many distances are told apart.
        max_distance: tokens from which all share the last bucket.
        bidirectional: half the buckets for keys ahead of the query; otherwise those share the bucket of distance 0.

    Raises:
        UsageError: too few buckets, or a `max_distance` they already cover.
        ShapeError: a bias is asked for another number of heads.
    """

    name = "t5"
    adds_bias = True
    shifts = True

    def __init__(self, heads: int, buckets: int = 32, max_distance: int = 128, bidirectional: bool = False) -> None:
        super().__init__()
        sided = buckets // 2 if bidirectional else buckets
        if sided < 2 or (bidirectional and buckets % 2):
            raise UsageError(
                f"T5's bias was given {buckets} buckets: {'an even number from 4 up' if bidirectional else '2 or more'} would work"
            )
        if max_distance <= sided // 2:
            raise UsageError(
                f"T5's bias was given max_distance={max_distance}, but {buckets} buckets reach {sided // 2} one by one: more would work"
            )
        self.heads, self.buckets, self.max_distance, self.bidirectional = heads, buckets, max_distance, bidirectional
        self.weight = nn.Parameter(0.02 * torch.randn(buckets, heads))

    def bias(self, heads: int, q: Int[Tensor, " q"], k: Int[Tensor, " k"]) -> Float[Tensor, "h q k"]:
        """The learned bias of each head, query and key."""
        if heads != self.heads:
            raise ShapeError(f"T5RelativeBias(heads={self.heads}) was asked for the bias of {heads} heads: build it with heads={heads}")
        found = bucket(k[None, :] - q[:, None], self.buckets, self.max_distance, self.bidirectional)
        return rearrange(F.embedding(found, self.weight), "q k h -> h q k")

    def extra_repr(self) -> str:
        """What tells one from another."""
        return f"heads={self.heads}, buckets={self.buckets}, max_distance={self.max_distance}, bidirectional={self.bidirectional}"


def bucket(ahead: Int[Tensor, "q k"], buckets: int, max_distance: int, bidirectional: bool) -> Int[Tensor, "q k"]:
    """The bucket of each relative position (key less query)."""
    side = torch.zeros_like(ahead)
    if bidirectional:
        buckets //= 2
        side, distance = (ahead > 0).to(ahead.dtype) * buckets, ahead.abs()
    else:
        distance = (-ahead).clamp(min=0)
    near = buckets // 2
    octaves = torch.log(distance.clamp(min=near).float() / near) / math.log(max_distance / near)
    far = (near + (octaves * (buckets - near)).to(ahead.dtype)).clamp(max=buckets - 1)
    return side + torch.where(distance < near, distance, far)
