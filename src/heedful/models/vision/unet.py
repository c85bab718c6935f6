"""A U-Net (Ronneberger 2015, 1505.04597) whose coarse levels say which places of the finer ones pass (Oktay 2018, 1804.03999)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from heedful.layers.gates.attention_gate import AttentionGate
from heedful.models.vision.convolutional import Convolution
from heedful.models.vision.picture_model import PictureModel, PictureOutput, channels_last
from heedful.spec.vision import UNetSpec


@final
class UNet(PictureModel):
    """A score for each class of every pixel; class 0 is none of the labels.

    >>> spec = UNetSpec(labels=("boot", "bag"), size=16, channels=1, widths=(4, 8))
    >>> UNet(spec)(torch.rand(2, 1, 16, 16)).logits.shape
    torch.Size([2, 16, 16, 3])
    """

    def __init__(self, spec: UNetSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        read = (spec.channels, *spec.widths[:-1])
        self.down = nn.ModuleList(pair(before, width) for before, width in zip(read, spec.widths, strict=True))
        finer = list(zip(spec.widths[:-1], spec.widths[1:], strict=True))
        self.gates = nn.ModuleList(AttentionGate(fine, coarse, layout="2d") for fine, coarse in finer if spec.gated)
        self.up = nn.ModuleList(pair(fine + coarse, fine) for fine, coarse in finer)
        self.dropout = nn.Dropout2d(spec.dropout) if spec.dropout else None
        self.head = nn.Conv2d(spec.widths[0], len(spec.labels) + 1, 1)
        channels_last(self)

    def forward(self, x: Float[Tensor, "b c h w"], *, trace: bool = False) -> PictureOutput:
        """Logits (b, h, w, classes)."""
        levels, x = list[Tensor](), self.normal(x)
        for number, level in enumerate(self.down):
            x = level(x if number == 0 else nn.functional.max_pool2d(x, 2))
            levels.append(x)
        for number in reversed(range(len(self.up))):
            fine = self.gates[number](levels[number], x) if len(self.gates) else levels[number]
            x = self.up[number](torch.cat([fine, interpolate(x, scale_factor=2.0, mode="nearest")], dim=1))
        logits: Tensor = self.head(x if self.dropout is None else self.dropout(x))
        return PictureOutput(logits.permute(0, 2, 3, 1))


def pair(read: int, made: int) -> nn.Sequential:
    """Two convolutions."""
    return nn.Sequential(Convolution(read, made), Convolution(made, made))
