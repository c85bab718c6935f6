"""A text longer than a model reads at once, in windows that overlap: each is read by itself, and their scores are averaged."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor


class Windows(NamedTuple):
    """The windows of all texts as one batch: their tokens, lengths, whose they are and where they begin."""

    ids: Int[Tensor, "n c"]
    lengths: Int[Tensor, " n"]
    owners: Int[Tensor, " n"]
    starts: Int[Tensor, " n"]


def windows_of(ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"], context: int) -> Windows:
    """Windows of `context` tokens, each but the first beginning with a quarter of the one before, until every token is in one.

    >>> windows_of(torch.arange(7)[None], torch.tensor([7]), 4).ids.tolist()
    [[0, 1, 2, 3], [3, 4, 5, 6]]
    """
    stride = max(1, context - context // 4)
    count = 1 + (lengths - context).clamp(min=0).add(stride - 1).div(stride, rounding_mode="floor")
    owners = torch.repeat_interleave(torch.arange(len(ids), device=ids.device), count)
    first = torch.repeat_interleave(count.cumsum(0) - count, count)
    starts = (torch.arange(len(owners), device=ids.device) - first) * stride
    places = starts[:, None] + torch.arange(context, device=ids.device)
    held = (lengths[owners] - starts).clamp(max=context)
    inside = torch.arange(context, device=ids.device) < held[:, None]
    return Windows(ids[owners[:, None], places.clamp(max=ids.shape[1] - 1)] * inside, held, owners, starts)


def averaged(values: Float[Tensor, "n c"], found: Windows, texts: int) -> Float[Tensor, "b c"]:
    """The mean over the windows of each text."""
    count = torch.bincount(found.owners, minlength=texts).to(values.dtype)
    return values.new_zeros(texts, values.shape[1]).index_add(0, found.owners, values) / count[:, None]


def spread(values: Float[Tensor, "n c *rest"], found: Windows, texts: int, length: int) -> Float[Tensor, "b t *rest"]:
    """What each window says of its places, where they stand in the texts, divided by how many windows each text has."""
    count = torch.bincount(found.owners, minlength=texts)[found.owners].to(values.dtype)
    places = found.owners[:, None] * length + (found.starts[:, None] + torch.arange(values.shape[1], device=values.device)).clamp(
        max=length - 1
    )
    shares = values / count.view(-1, *[1] * (values.dim() - 1))
    whole = values.new_zeros(texts * length, *values.shape[2:]).index_add(0, places.flatten(), shares.flatten(0, 1))
    return whole.view(texts, length, *values.shape[2:])
