"""Convolutions in stages, plain or beside a residual stream, with a gate of the catalogue on their feature maps.

Residual blocks: He et al. 2016, arXiv 1512.03385; a gate on the branch: Hu et al. 2018, arXiv 1709.01507, figure 3. One convolution and a
pooling into each stage: the network of Page 2018 (DAWNBench) and Jordan 2024, arXiv 2404.00498, which is quick to train.
"""

from __future__ import annotations

from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from heedful.layers.gates.gate import Gate
from heedful.models.vision.feature_gate import feature_gate
from heedful.models.vision.picture_model import PictureModel, PictureOutput, both_ways, channels_last, head
from heedful.spec.attention import MechanismSpec
from heedful.spec.vision import ConvolutionalSpec, ResidualSpec


@final
class Convolution(nn.Sequential):
    """3 x 3, a pooling of 2 x 2 if asked for, batch norm, relu."""

    def __init__(self, read: int, made: int, pool: bool = False) -> None:
        parts: list[nn.Module] = [nn.Conv2d(read, made, 3, padding=1, bias=False)]
        parts += [nn.MaxPool2d(2)] if pool else []
        super().__init__(*parts, nn.BatchNorm2d(made), nn.ReLU())


@final
class Stage(nn.Module):
    """Half the side, then `depth` convolutions one after the other, the gate last."""

    def __init__(self, read: int, made: int, side: int, depth: int, gate: MechanismSpec | None) -> None:
        super().__init__()
        pool = side > 1
        self.enter = Convolution(read, made, pool)
        self.more = nn.Sequential(*(Convolution(made, made) for _ in range(depth)))
        self.gate = feature_gate(gate, made, side // 2 if pool else side)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d y x"]:
        """The features of this stage."""
        return gated(self.gate, self.more(self.enter(x)))


@final
class ResidualStage(nn.Module):
    """Half the side, then `depth` blocks x + gate(convolution(convolution(x)))."""

    def __init__(self, read: int, made: int, side: int, depth: int, gate: MechanismSpec | None) -> None:
        super().__init__()
        pool = side > 1
        self.enter = Convolution(read, made, pool)
        self.more = nn.ModuleList(nn.Sequential(Convolution(made, made), Convolution(made, made)) for _ in range(depth))
        inner = [feature_gate(gate, made, side // 2 if pool else side) for _ in range(depth)]
        self.gates = nn.ModuleList(each for each in inner if each is not None)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d y x"]:
        """The features of this stage."""
        x = self.enter(x)
        for i, branch in enumerate(self.more):
            x = x + (self.gates[i](branch(x)) if len(self.gates) else branch(x))
        return x


@final
class Convolutional(PictureModel):
    """A stem, the stages, one vector of all places, and a score for each class.

    >>> import torch
    >>> spec = ResidualSpec(labels=("cat", "dog"), size=16, channels=3, gate=MechanismSpec("se"))
    >>> Convolutional(spec)(torch.rand(2, 3, 16, 16)).logits.shape
    torch.Size([2, 2])

    Errors: `UsageError` for a spec whose classes, size or channels are not filled in, and for unknown gates; `ShapeError` for pictures of
    another size.
    """

    def __init__(self, spec: ConvolutionalSpec | ResidualSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        self.stem = Convolution(spec.channels, spec.stem)
        depth = spec.blocks if isinstance(spec, ResidualSpec) else spec.convolutions
        stage = ResidualStage if isinstance(spec, ResidualSpec) else Stage
        made: list[nn.Module] = []
        read, side = spec.stem, spec.size
        for width in spec.widths:
            made.append(stage(read, width, side, depth, spec.gate))
            read, side = width, max(1, side // 2)
        self.stages = nn.Sequential(*made)
        self.pool = nn.AdaptiveMaxPool2d(1) if spec.pooling == "max" else nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else None
        self.head = head(read, len(spec.labels))
        channels_last(self)

    def features(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d y x"]:
        """The feature maps before they become one vector."""
        found: Tensor = self.stages(self.stem(self.normal(x)))
        return found

    def forward(self, x: Float[Tensor, "b c h w"], *, trace: bool = False) -> PictureOutput:
        """The logits of each class."""
        logits = self.told(x)
        return PictureOutput(both_ways(self.told, x, logits) if self.spec.mirrored and not self.training else logits)

    def told(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n"]:
        """The logits of the pictures as they are."""
        return self.classified(self.features(x))

    def classified(self, features: Float[Tensor, "b d y x"]) -> Float[Tensor, "b n"]:
        """The logits of feature maps."""
        vector = self.pool(features).flatten(1)
        logits: Tensor = self.head(vector if self.dropout is None else self.dropout(vector))
        return logits


def gated(gate: Gate | None, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
    """The features under the gate, if there is one."""
    if gate is None:
        return x
    found: Tensor = gate(x)
    return found
