"""A picture as a row of patches, each at its place in two dimensions (Dosovitskiy et al. 2021, arXiv 2010.11929, §3.1)."""

from __future__ import annotations

from typing import final

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from heedful.attention.positions.sinusoidal import Sinusoidal
from heedful.spec.vision import Grid, PatchSpec


@final
class GridPlaces(nn.Module):
    """Half of the width says the row, half the column: learned vectors, or waves.

    >>> GridPlaces("sinusoidal", 3, 8)(torch.zeros(1, 9, 8)).shape
    torch.Size([1, 9, 8])
    """

    def __init__(self, grid: Grid, side: int, width: int) -> None:
        super().__init__()
        if grid == "learned":
            self.rows = nn.Parameter(0.02 * torch.randn(side, width // 2))
            self.columns = nn.Parameter(0.02 * torch.randn(side, width // 2))
        else:
            waves = Sinusoidal().encoding(torch.arange(side), width // 2, torch.float32)
            self.register_buffer("rows", waves, persistent=False)
            self.register_buffer("columns", waves.clone(), persistent=False)

    def table(self) -> Float[Tensor, "t m"]:
        """The vector of every place, in reading order."""
        rows, columns = self.rows, self.columns
        assert isinstance(rows, Tensor)
        assert isinstance(columns, Tensor)
        both = torch.cat([rows[:, None].expand(-1, len(columns), -1), columns[None].expand(len(rows), -1, -1)], dim=-1)
        return both.flatten(0, 1)

    def forward(self, x: Float[Tensor, "b t m"]) -> Float[Tensor, "b t m"]:
        """The patches with their places in them."""
        return x + self.table().to(x.dtype)


@final
class Patches(nn.Module):
    """Convolutions that halve the side (a hybrid's stem), then each patch of pixels times one matrix.

    >>> from heedful.spec.vision import VisionTransformerSpec
    >>> Patches(VisionTransformerSpec(size=28, channels=1, width=32))(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 49, 32])
    """

    def __init__(self, spec: PatchSpec) -> None:
        super().__init__()
        channels, parts = spec.channels, list[nn.Module]()
        for width in spec.stem:
            parts += [nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.stem = nn.Sequential(*parts)
        self.side, self.patch = spec.side, spec.patch
        self.matrix = nn.Linear(channels * spec.patch**2, spec.width)
        self.places = None if spec.grid == "none" else GridPlaces(spec.grid, spec.side, spec.width)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b t m"]:
        """The patches in reading order."""
        found: Tensor = self.matrix(cut(self.stem(x), self.patch))
        return found if self.places is None else self.places(found)


def cut(x: Float[Tensor, "b c h w"], patch: int) -> Float[Tensor, "b t n"]:
    """The pixels of every patch, in reading order.

    >>> cut(torch.arange(16.0).view(1, 1, 4, 4), 2)[0, 1].tolist()
    [2.0, 3.0, 6.0, 7.0]
    """
    return rearrange(x, "b c (y i) (x j) -> b (y x) (c i j)", i=patch, j=patch)


def joined(patches: Float[Tensor, "b t n"], patch: int, side: int) -> Float[Tensor, "b c h w"]:
    """The picture of its patches: the way back from `cut`."""
    return rearrange(patches, "b (y x) (c i j) -> b c (y i) (x j)", y=side, i=patch, j=patch)
