"""Variations of pictures, a whole batch at a time and on its device, drawn from torch's generator.

Crop and flip: Krizhevsky et al. 2012; cutout: DeVries & Taylor 2017, arXiv 1708.04552; mixup: Zhang et al. 2018, arXiv 1710.09412, eq. 1.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from heedful.spec.images import AugmentSpec

GREY: Final = (0.299, 0.587, 0.114)  # how bright red, green and blue look (ITU-R 601)


class Mixed(NamedTuple):
    """Pictures of which each is a share of itself and the rest of another: the classes of both, and the share."""

    pixels: Float[Tensor, "b c h w"]
    labels: Int[Tensor, " b"]
    others: Int[Tensor, " b"]
    share: float


def varied(x: Float[Tensor, "b c h w"], spec: AugmentSpec) -> Float[Tensor, "b c h w"]:
    """The pictures after everything that the spec asks for but mixup."""
    if spec.crop:
        x = shifted(x, spec.crop)
    if spec.flip:
        x = flipped(x)
    if spec.colour:
        x = recoloured(x, spec.colour)
    if spec.cutout:
        x = cut_out(x, spec.cutout)
    return x


def shifted(x: Float[Tensor, "b c h w"], most: int) -> Float[Tensor, "b c h w"]:
    """Each picture moved by up to `most` pixels either way, its edges mirrored.

    >>> shifted(torch.ones(2, 1, 6, 5), 2).unique().tolist()
    [1.0]
    """
    b, _, h, w = x.shape
    most = min(most, h - 1, w - 1)
    if most < 1:
        return x
    wide = pad(x, (most, most, most, most), mode="reflect")
    start = torch.randint(0, 2 * most + 1, (2, b, 1), device=x.device)
    down, right = start[0] + torch.arange(h, device=x.device), start[1] + torch.arange(w, device=x.device)
    picked = wide[torch.arange(b, device=x.device)[:, None, None], :, down[:, :, None], right[:, None, :]]
    return picked.permute(0, 3, 1, 2)


def flipped(x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """Every picture mirrored left to right or not, by a toss."""
    toss = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.5
    return torch.where(toss, x.flip(-1), x)


def recoloured(x: Float[Tensor, "b c h w"], most: float) -> Float[Tensor, "b c h w"]:
    """Brightness, contrast and (of coloured pictures) saturation, each changed by a factor up to 1 ± `most`."""
    factor = 1.0 + most * (2.0 * torch.rand(3, len(x), 1, 1, 1, device=x.device) - 1.0)
    x = x * factor[0]
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + (x - mean) * factor[1]
    if x.shape[1] == 3:
        grey = (x * torch.tensor(GREY, device=x.device).view(1, 3, 1, 1)).sum(1, keepdim=True)
        x = grey + (x - grey) * factor[2]
    return x.clamp(0.0, 1.0)


def cut_out(x: Float[Tensor, "b c h w"], side: int) -> Float[Tensor, "b c h w"]:
    """A square of each picture, its centre anywhere, in the picture's mean."""
    b, _, h, w = x.shape
    low = torch.stack([torch.randint(h, (b,), device=x.device), torch.randint(w, (b,), device=x.device)]) - side // 2
    down, right = torch.arange(h, device=x.device), torch.arange(w, device=x.device)
    rows = (down >= low[0, :, None]) & (down < low[0, :, None] + side)
    columns = (right >= low[1, :, None]) & (right < low[1, :, None] + side)
    inside = (rows[:, :, None] & columns[:, None, :])[:, None]
    return torch.where(inside, x.mean((1, 2, 3), keepdim=True), x)


def mixed(x: Float[Tensor, "b c h w"], labels: Int[Tensor, " b"], alpha: float) -> Mixed:
    """Each picture with another of the batch, by one share drawn from Beta(alpha, alpha)."""
    if not alpha:
        return Mixed(x, labels, labels, 1.0)
    share = float(torch.distributions.Beta(alpha, alpha).sample())
    order = torch.randperm(len(x), device=x.device)
    return Mixed(share * x + (1.0 - share) * x[order], labels, labels[order], share)
