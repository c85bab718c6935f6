"""A transformer over the patches of a picture, of any mechanisms of the catalogue (Dosovitskiy et al. 2021, arXiv 2010.11929)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.layers.block import TransformerBlock
from heedful.layers.norm import norm
from heedful.layers.pooling import pooling
from heedful.layers.trace import Trace
from heedful.models import mechanisms
from heedful.models.start import start
from heedful.models.vision.patches import Patches
from heedful.models.vision.picture_model import PictureModel, PictureOutput, both_ways, head
from heedful.spec.vision import PatchSpec, VisionTransformerSpec


@final
class PatchEncoder(nn.Module):
    """Patches through the layers, a norm at the end."""

    def __init__(self, spec: PatchSpec) -> None:
        super().__init__()
        encoder = spec.encoder()
        mechanisms.limit(encoder)
        self.patches = Patches(spec)
        self.places = mechanisms.places(encoder)
        blocks = [mechanisms.block(encoder) for _ in range(spec.layers)]
        self.layers = nn.ModuleList(blocks)
        self.norm = norm(encoder.norm, spec.width, encoder.bias)
        start(blocks, None)

    def forward(self, x: Float[Tensor, "b c h w"], trace: bool = False) -> tuple[Float[Tensor, "b t m"], tuple[Trace, ...]]:
        """The stream behind the last layer, and with `trace` what each layer read."""
        return self.through(self.cut(x), trace)

    def cut(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b t m"]:
        """The patches at their places."""
        patches: Tensor = self.patches(x)
        return patches if self.places is None else self.places(patches)

    def through(self, x: Float[Tensor, "b t m"], trace: bool = False) -> tuple[Float[Tensor, "b t m"], tuple[Trace, ...]]:
        """Patches (or some of them) through the layers."""
        traces: list[Trace] = []
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, TransformerBlock)
            if trace:
                x, (seen,) = layer(x, trace=True)
                traces.append(Trace(seen.weights, f"layer {i + 1}"))
            else:
                x = layer(x)
        return self.norm(x), tuple(traces)


@final
class VisionTransformer(PictureModel):
    """Patches, layers, one vector of all patches, and a score for each class.

    >>> spec = VisionTransformerSpec(labels=("cat", "dog"), size=16, channels=3, width=16, layers=2)
    >>> found = VisionTransformer(spec).eval()(torch.rand(2, 3, 16, 16), trace=True)
    >>> found.logits.shape, found.traces[1].weights.shape, found.pooled.shape
    (torch.Size([2, 2]), torch.Size([2, 4, 16, 16]), torch.Size([2, 16]))

    Errors: as those of `Convolutional`, and `UsageError` for unknown mechanisms.
    """

    def __init__(self, spec: VisionTransformerSpec) -> None:
        super().__init__(spec)
        self.spec = spec
        self.encoder = PatchEncoder(spec)
        self.pool = pooling(spec.pooling, spec.width)
        self.dropout = nn.Dropout(spec.dropout) if spec.dropout else None
        self.head = head(spec.width, len(spec.labels))

    def features(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b m y x"]:
        """The stream behind the last layer, as maps."""
        stream, _ = self.encoder(self.normal(x))
        side = self.spec.side
        return torch.unflatten(stream.mT, 2, (side, side))

    def forward(self, x: Float[Tensor, "b c h w"], *, trace: bool = False) -> PictureOutput:
        """The logits of each class, and with `trace` what each layer read."""
        stream, traces = self.encoder(self.normal(x), trace)
        logits, pooled = self.said(stream)
        if self.spec.mirrored and not self.training:
            logits = both_ways(self.told, x, logits)
        return PictureOutput(logits, traces, pooled)

    def told(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n"]:
        """The logits of the pictures as they are."""
        return self.said(self.encoder(self.normal(x))[0])[0]

    def classified(self, features: Float[Tensor, "b m y x"]) -> Float[Tensor, "b n"]:
        """The logits of feature maps."""
        return self.said(features.flatten(2).mT)[0]

    def said(self, stream: Float[Tensor, "b t m"]) -> tuple[Float[Tensor, "b n"], Float[Tensor, "b t"]]:
        """The logits of a stream, and how much each patch counted."""
        vector, pooled = self.pool(stream)
        return self.head(vector if self.dropout is None else self.dropout(vector)), pooled
