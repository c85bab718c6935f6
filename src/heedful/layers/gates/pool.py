"""Mean and maximum over places: over all of them, or at each place over the past up to and with it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Real = Bool[Tensor, "b n"] | None
Kept = tuple[Tensor, ...]


def mean(x: Float[Tensor, "b n c"], real: Real) -> Float[Tensor, "b 1 c"]:
    """The mean over the real places; zero where there is none. Masked places of `x` hold zeros.

    >>> mean(torch.tensor([[[1.0], [3.0], [0.0]]]), torch.tensor([[True, True, False]])).item()
    2.0
    """
    if real is None:
        return x.mean(dim=1, keepdim=True)
    count = real.sum(dim=1).clamp(min=1).to(x.dtype)
    return x.sum(dim=1, keepdim=True) / count[:, None, None]


def running_mean(x: Float[Tensor, "b n c"], real: Real, kept: Kept) -> tuple[Float[Tensor, "b n c"], Kept]:
    """The mean over the real places up to and with each place, and the (sum, count) that the next call goes on from.

    >>> running_mean(torch.tensor([[[1.0], [3.0], [8.0]]]), None, ())[0].flatten().tolist()
    [1.0, 2.0, 4.0]
    """
    exact = torch.promote_types(x.dtype, torch.float32)  # a long sum in half precision would stop growing
    ones = torch.ones(x.shape[:2], dtype=exact, device=x.device) if real is None else real.to(exact)
    total, count = x.to(exact).cumsum(dim=1), ones.cumsum(dim=1)
    if kept:
        total, count = total + kept[0].unsqueeze(1), count + kept[1].unsqueeze(1)
    means = total / count.clamp(min=1).unsqueeze(-1)
    return means.to(x.dtype), (total[:, -1], count[:, -1])


def greatest(x: Float[Tensor, "b n c"], real: Real) -> Float[Tensor, "b 1 c"]:
    """The maximum over the real places of each channel; zero where there is none."""
    return _finite(_shut(x, real).amax(dim=1, keepdim=True))


def running_greatest(x: Float[Tensor, "b n c"], real: Real, kept: Kept) -> tuple[Float[Tensor, "b n c"], Kept]:
    """The maximum over the real places up to and with each place, and the one that the next call goes on from.

    >>> running_greatest(torch.tensor([[[1.0], [3.0], [2.0]]]), None, ())[0].flatten().tolist()
    [1.0, 3.0, 3.0]
    """
    highest = _shut(x, real).cummax(dim=1).values
    if kept:
        highest = torch.maximum(highest, kept[0].unsqueeze(1))
    return _finite(highest), (highest[:, -1],)


def _shut(x: Float[Tensor, "b n c"], real: Real) -> Float[Tensor, "b n c"]:
    return x if real is None else x.masked_fill(~real.unsqueeze(-1), float("-inf"))


def _finite(x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
    return x.masked_fill(x == float("-inf"), 0.0)
