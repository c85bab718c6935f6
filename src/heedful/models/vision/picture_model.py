"""What every model of pictures has: the shape of what it reads, and how bright and varied that is on average."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.errors import ShapeError, UsageError
from heedful.layers.trace import Trace
from heedful.spec.vision import PictureShape


class PictureOutput(NamedTuple):
    """`logits` of the classes, `traces` (one a layer that attends) where asked for, `pooled`: how much each patch counted."""

    logits: Float[Tensor, "b *n c"]
    traces: tuple[Trace, ...] = ()
    pooled: Float[Tensor, "b t"] | None = None


class PictureModel(nn.Module):
    """Reads pictures (b, c, h, w) of numbers from 0 to 1; `mean` and `spread` of each channel are learnt from the data, once."""

    mean: Tensor
    spread: Tensor

    def __init__(self, spec: PictureShape, classes: int = 2) -> None:
        super().__init__()
        if spec.size < 1 or spec.channels < 1 or len(spec.labels) < classes:
            raise UsageError(
                f"a model of pictures needs model.size, model.channels and {classes} model.labels or more: found {spec.size}, "
                f"{spec.channels} and {len(spec.labels)}"
            )
        self.size, self.channels, self.labels, self.context = spec.size, spec.channels, spec.labels, spec.context
        self.register_buffer("mean", torch.full((spec.channels, 1, 1), 0.5))
        self.register_buffer("spread", torch.full((spec.channels, 1, 1), 0.25))

    def normal(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """The pictures with mean 0 and spread 1, channels last in memory, where convolutions are quickest."""
        wanted = (self.channels, self.size, self.size)
        if tuple(x.shape[1:]) != wanted:
            raise ShapeError(f"this model reads pictures (b, {', '.join(map(str, wanted))}), found {tuple(x.shape)}")
        return ((x - self.mean) / self.spread).contiguous(memory_format=torch.channels_last)


def both_ways(
    said: Callable[[Float[Tensor, "b c h w"]], Float[Tensor, "b n"]], x: Float[Tensor, "b c h w"], logits: Float[Tensor, "b n"]
) -> Float[Tensor, "b n"]:
    """The mean of what is said of pictures and of their mirror images, as in Krizhevsky et al. 2012, §4.1.

    >>> both_ways(lambda x: x[..., 0, 0], torch.tensor([[[[2.0, 4.0]]]]), torch.tensor([[2.0]]))
    tensor([[3.]])
    """
    return (logits + said(x.flip(-1))) / 2


def measured(model: PictureModel, pixels: Tensor) -> None:
    """Take mean and spread of pictures (n, c, h, w) in bytes, 5,000 of them at most."""
    some = pixels[:: max(1, len(pixels) // 5000)].double() / 255
    model.mean.copy_(some.mean((0, 2, 3)).view_as(model.mean))
    model.spread.copy_(some.std((0, 2, 3)).clamp(min=1e-3).view_as(model.spread))


def channels_last(module: nn.Module) -> None:
    """Lay the kernels of its convolutions out with channels last, as the features are."""
    for weight in module.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)


def head(width: int, classes: int) -> nn.Linear:
    """The last layer: N(0, 0.02²), zero bias."""
    made = nn.Linear(width, classes)
    nn.init.normal_(made.weight, std=0.02)
    nn.init.zeros_(made.bias)
    return made
