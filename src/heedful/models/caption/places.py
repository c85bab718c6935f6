"""A picture as a row of places, each a vector that knows where it stands."""

from __future__ import annotations

from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from heedful.layers.norm import norm
from heedful.models.vision.convolutional import Convolution
from heedful.models.vision.patches import GridPlaces
from heedful.models.vision.picture_model import channels_last
from heedful.spec.captioner import CaptionSpec


@final
class Places(nn.Module):
    """Convolutions that halve the side, waves that say row and column, pairs of convolutions that bind the two.

    >>> import torch
    >>> from heedful.spec.captioner import CaptionerSpec
    >>> Places(CaptionerSpec(size=32, channels=1, width=16))(torch.rand(2, 1, 32, 32)).shape
    torch.Size([2, 64, 16])
    """

    def __init__(self, spec: CaptionSpec) -> None:
        super().__init__()
        read, width = (spec.channels, *spec.stem[:-1]), spec.width
        self.stem = nn.Sequential(*(Convolution(before, made, pool=True) for before, made in zip(read, spec.stem, strict=True)))
        self.into = nn.Conv2d(spec.stem[-1], width, 1)
        self.blocks = nn.ModuleList(nn.Sequential(Convolution(width, width), Convolution(width, width)) for _ in range(spec.blocks))
        self.norm = norm("layer", width, True)
        self.grid = GridPlaces("sinusoidal", spec.side, width)
        channels_last(self)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b t m"]:
        """The places in reading order."""
        x = self.into(self.stem(x))
        # A sum of what and where tells nothing of which stood where once places are averaged, as attention does before it has learnt
        # to choose: convolutions that see both bind them.
        x = x + self.grid.table().mT.reshape(1, -1, *x.shape[2:]).to(x.dtype)
        for block in self.blocks:
            x = x + block(x)
        places: Tensor = self.grid(self.norm(x.flatten(2).mT))
        return places
