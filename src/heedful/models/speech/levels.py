"""What of a recording is loud enough to be heard: a floor under its bands, and where the voice begins and ends.

Both go by the recording's own loudest frame, so that a soft recording is heard as a loud one is.
"""

from __future__ import annotations

from math import log
from typing import Final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

DECIBEL: Final = log(10.0) / 10.0  # of power, in the natural logarithm that frames are given in
MARGIN: Final = 2  # frames that are kept beyond the first and the last loud one: words begin and end softly


def floored(x: Float[Tensor, "b t f"], lengths: Int[Tensor, " b"], depth: float) -> Float[Tensor, "b t f"]:
    """Frames whose bands are never more than `depth` dB below the loudest band of their recording.

    >>> round(floored(torch.tensor([[[0.0, -20.0]]]), torch.tensor([1]), 30.0)[0, 0, 1].item(), 2)
    -6.91
    """
    loudest = x.masked_fill(~before(x, lengths)[..., None], -torch.inf).amax(dim=(1, 2), keepdim=True)
    return torch.maximum(x, loudest - depth * DECIBEL)


def voiced(x: Float[Tensor, "b t f"], lengths: Int[Tensor, " b"], quiet: float) -> tuple[Int[Tensor, " b"], Int[Tensor, " b"]]:
    """Where the voice begins and how many frames it takes: from the first to the last frame whose power is at most `quiet` dB below the
    loudest one's, and a few around them.

    >>> x = torch.tensor([-30.0, -30, -30, -30, 0, -9, 0, -30, -30, -30]).view(1, 10, 1)
    >>> voiced(x, torch.tensor([10]), 20.0)
    (tensor([2]), tensor([7]))
    """
    power = x.logsumexp(2).masked_fill(~before(x, lengths), -torch.inf)
    loud = power >= power.amax(1, keepdim=True) - quiet * DECIBEL
    place = torch.arange(x.shape[1], device=x.device)
    first = (torch.where(loud, place, x.shape[1]).amin(1) - MARGIN).clamp(min=0)
    last = torch.where(loud, place, -1).amax(1) + MARGIN
    return first, torch.minimum(last + 1, lengths) - first


def cut(x: Float[Tensor, "b t f"], first: Int[Tensor, " b"], lengths: Int[Tensor, " b"]) -> Float[Tensor, "b s f"]:
    """So many frames of each recording, from its `first` on.

    >>> cut(torch.arange(8.0).view(1, 8, 1), torch.tensor([3]), torch.tensor([2])).flatten().tolist()
    [3.0, 4.0]
    """
    place = first[:, None] + torch.arange(int(lengths.max()), device=x.device)
    return x.gather(1, place.clamp(max=x.shape[1] - 1)[..., None].expand(-1, -1, x.shape[2]))


def before(x: Float[Tensor, "b t f"], lengths: Int[Tensor, " b"]) -> Bool[Tensor, "b t"]:
    """Which frames are not padding."""
    return torch.arange(x.shape[1], device=x.device) < lengths[:, None]
