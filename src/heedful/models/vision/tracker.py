"""Boxes followed through frames: a query that holds what it follows looks at the next frame, near where it last was.

Queries that are carried from frame to frame: Meinhardt et al. 2022 (TrackFormer, arXiv 2101.02702, §3.2); boxes as corrections of the
ones before: Zhu et al. 2021 (arXiv 2010.04159, §4.2).
"""

from __future__ import annotations

from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.attention.masks.padding import Padding
from heedful.layers.block import TransformerBlock
from heedful.layers.mlp import GELU
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.norm import norm
from heedful.layers.trace import Trace
from heedful.models.vision.convolutional import Convolution
from heedful.models.vision.patches import GridPlaces
from heedful.models.vision.picture_model import PictureModel, channels_last
from heedful.spec.moving import TrackerSpec


class TrackerOutput(NamedTuple):
    """The boxes of every frame, those of the first as they were given; with `trace` where each query looked, a trace a later frame."""

    boxes: Float[Tensor, "b f n 4"]
    traces: tuple[Trace, ...] = ()


@final
class Tracker(PictureModel):
    """Convolutions over each frame, and layers of queries that attend to each other and to its places.

    >>> spec = TrackerSpec(labels=("one", "two"), size=16, channels=1, stem=(8, 8), width=16, layers=1)
    >>> boxes = torch.tensor([[[0.3, 0.3, 0.2, 0.2], [0.7, 0.7, 0.2, 0.2]]])
    >>> found = Tracker(spec)(torch.rand(1, 5, 1, 16, 16), boxes, torch.tensor([2]), trace=True)
    >>> found.boxes.shape, len(found.traces), found.traces[0].weights.shape
    (torch.Size([1, 5, 2, 4]), 4, torch.Size([1, 4, 2, 16]))
    """

    def __init__(self, spec: TrackerSpec) -> None:
        super().__init__(spec)
        self.spec, width = spec, spec.width
        read = (spec.channels, *spec.stem[:-1])
        self.stem = nn.Sequential(*(Convolution(before, made, pool=True) for before, made in zip(read, spec.stem, strict=True)))
        self.side = spec.size // 2 ** len(spec.stem)
        self.into = nn.Conv2d(spec.stem[-1], width, 1)
        self.places = GridPlaces("sinusoidal", self.side, width)
        self.bind = Convolution(width, width)
        self.norm = norm("layer", width, True)
        self.where = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, width))
        self.layers = nn.ModuleList(
            TransformerBlock(
                MultiHeadAttention(width, spec.heads),
                GELU(width, 2 * width),
                cross=MultiHeadAttention(width, spec.heads),
                norm="layer",
                dropout=spec.dropout,
            )
            for _ in range(spec.layers)
        )
        self.moved = nn.Sequential(norm("layer", width, True), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4))
        last = self.moved[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
        channels_last(self.stem)

    def read(self, x: Float[Tensor, "b f c h w"]) -> Float[Tensor, "b f t m"]:
        """The places of every frame, what is there bound to where it is."""
        features = self.into(self.stem(self.normal(x.flatten(0, 1))))
        table = self.places.table().mT.reshape(1, -1, *features.shape[2:]).to(features.dtype)
        found = self.norm((features + self.bind(features + table)).flatten(2).mT)
        placed: Tensor = self.places(found)
        return torch.unflatten(placed, 0, x.shape[:2])

    def forward(
        self, x: Float[Tensor, "b f c h w"], boxes: Float[Tensor, "b n 4"], counts: Int[Tensor, " b"], *, trace: bool = False
    ) -> TrackerOutput:
        """The boxes of all frames; `boxes` are those of the first, of which `counts` in each scene are items."""
        frames = self.read(x).unbind(1)
        mask = Padding(counts)
        stream, _ = self.looked(self.where(boxes), frames[0], mask, False)
        found, traces = [boxes], list[Trace]()
        for number, places in enumerate(frames[1:], start=2):
            before = found[-1].detach()
            stream, seen = self.looked(stream + self.where(before), places, mask, trace)
            found.append((torch.logit(before, eps=1e-3) + self.moved(stream).float()).sigmoid())
            if seen is not None:
                traces.append(Trace(seen, f"frame {number}"))
        return TrackerOutput(torch.stack(found, 1), tuple(traces))

    def looked(
        self, stream: Float[Tensor, "b n m"], places: Float[Tensor, "b t m"], mask: Padding, trace: bool
    ) -> tuple[Float[Tensor, "b n m"], Float[Tensor, "b h n t"] | None]:
        """The queries after a look at one frame, and with `trace` the weights of the last layer."""
        weights = None
        for layer in self.layers:
            if trace:
                stream, (_, crossed) = layer(stream, places, mask=mask, trace=True)
                weights = crossed.weights
            else:
                stream = layer(stream, places, mask=mask)
        return stream, weights
