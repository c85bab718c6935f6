"""Boxes by attention: places of the picture propose, a few queries look again and decide (Carion 2020, arXiv 2005.12872, §3.2).

The queries begin at the likeliest proposals, so that they need not learn where to look (Zhu 2021, arXiv 2010.04159, §4.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.layers.block import TransformerBlock
from heedful.layers.mlp import GELU
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.trace import Trace
from heedful.models.vision.convolutional import Convolution, ResidualStage
from heedful.models.vision.patches import GridPlaces
from heedful.models.vision.picture_model import PictureModel, channels_last
from heedful.spec.vision import DetectorSpec

RARE = -2.0  # the logit of a class before anything is learnt: about one in eight
NARROW = 0.35  # the side of a box before anything is learnt, as a share of the picture's


class Found(NamedTuple):
    """Boxes (x, y, w, h as shares of the sides, the centre first) and the logit of each class for each."""

    logits: Float[Tensor, "b n c"]
    boxes: Float[Tensor, "b n 4"]


class DetectorOutput(NamedTuple):
    """What the places proposed, what the queries said after each layer (the last one counts), and with `trace` where they looked."""

    proposed: Found
    said: tuple[Found, ...]
    traces: tuple[Trace, ...] = ()


@final
class Reader(nn.Module):
    """A vector to the logits of the classes and to what is added to a box's logits."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.classes = nn.Linear(width, classes)
        self.box = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 4))
        nn.init.constant_(self.classes.bias, RARE)
        last = self.box[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, x: Float[Tensor, "b n m"], near: Float[Tensor, "b n 4"]) -> Found:
        """The classes, and the boxes beside those they begin from."""
        return Found(self.classes(x).float(), (torch.logit(near, eps=1e-3) + self.box(x).float()).sigmoid())


@final
class Detector(PictureModel):
    """Convolutions, layers of self-attention over their places, and queries that attend to each other and to the places.

    >>> spec = DetectorSpec(labels=("boot", "bag"), size=32, channels=1, stem=(8, 8), width=16, layers=1, queries=3)
    >>> found = Detector(spec)(torch.rand(2, 1, 32, 32))
    >>> found.said[-1].boxes.shape, found.proposed.logits.shape
    (torch.Size([2, 3, 4]), torch.Size([2, 64, 2]))
    """

    def __init__(self, spec: DetectorSpec) -> None:
        super().__init__(spec)
        self.spec, classes = spec, len(spec.labels)
        self.stem = nn.Sequential(*stem(spec))
        self.side = spec.size // 2 ** len(spec.stem)
        self.into = nn.Conv2d(spec.stem[-1], spec.width, 1)
        self.places = GridPlaces("sinusoidal", self.side, spec.width)
        self.encoder = nn.ModuleList(layer(spec) for _ in range(spec.layers))
        self.propose = Reader(spec.width, classes)
        self.query = nn.Linear(spec.width, spec.width)
        self.where = nn.Sequential(nn.Linear(4, spec.width), nn.ReLU(), nn.Linear(spec.width, spec.width))
        self.decoder = nn.ModuleList(layer(spec, crossed=True) for _ in range(spec.layers))
        self.readers = nn.ModuleList(Reader(spec.width, classes) for _ in range(spec.layers))
        channels_last(self.stem)

    def forward(self, x: Float[Tensor, "b c h w"], *, trace: bool = False) -> DetectorOutput:
        """Proposals, and what the queries made of the likeliest of them."""
        memory = self.places(self.into(self.stem(self.normal(x))).flatten(2).mT)
        for each in self.encoder:
            memory = each(memory)
        proposed = self.propose(memory, self.anchors(len(x), x.device))
        best = likeliest(proposed, self.spec.queries)
        near = picked(proposed.boxes, best).detach()
        stream = self.query(picked(memory, best).detach())
        said, traces = list[Found](), list[Trace]()
        for number, (each, reader) in enumerate(zip(self.decoder, self.readers, strict=True)):
            stream = stream + self.where(near)
            if trace:
                stream, (_, seen) = each(stream, memory, trace=True)
                traces.append(Trace(seen.weights, f"layer {number + 1}"))
            else:
                stream = each(stream, memory)
            said.append(reader(stream, near))
            near = said[-1].boxes.detach()
        return DetectorOutput(proposed, tuple(said), tuple(traces))

    def anchors(self, count: int, device: torch.device) -> Float[Tensor, "b t 4"]:
        """A box around every place."""
        middle = (torch.arange(self.side, device=device) + 0.5) / self.side
        y, x = torch.meshgrid(middle, middle, indexing="ij")
        boxes = torch.stack([x, y, torch.full_like(x, NARROW), torch.full_like(x, NARROW)], dim=-1)
        return boxes.flatten(0, 1).expand(count, -1, -1)


def stem(spec: DetectorSpec) -> Iterator[nn.Module]:
    """Convolutions that halve the side, each before its residual blocks."""
    read, side = spec.channels, spec.size
    for width in spec.stem:
        yield ResidualStage(read, width, side, spec.blocks, None) if spec.blocks else Convolution(read, width, pool=True)
        read, side = width, side // 2


def layer(spec: DetectorSpec, crossed: bool = False) -> TransformerBlock:
    """One layer of the encoder, or of the decoder."""
    cross = MultiHeadAttention(spec.width, spec.heads) if crossed else None
    return TransformerBlock(
        MultiHeadAttention(spec.width, spec.heads), GELU(spec.width, 2 * spec.width), cross=cross, norm="layer", dropout=spec.dropout
    )


def likeliest(found: Found, count: int) -> Int[Tensor, "b n"]:
    """The boxes that are surest of any class."""
    return found.logits.detach().amax(-1).topk(min(count, found.logits.shape[1]), dim=1).indices


def picked(values: Float[Tensor, "b t m"], places: Int[Tensor, "b n"]) -> Float[Tensor, "b n m"]:
    """The rows at `places`."""
    return values.gather(1, places[..., None].expand(-1, -1, values.shape[-1]))
