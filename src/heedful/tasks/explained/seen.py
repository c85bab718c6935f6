"""Models of pictures as readers: the class of a picture, a box in it, and what stands at its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from heedful.errors import UsageError, unknown
from heedful.manage.site import Site
from heedful.models.vision.build import PictureClassifier
from heedful.models.vision.convolutional import Convolutional
from heedful.models.vision.detector import Detector, DetectorOutput
from heedful.models.vision.picture_model import PictureModel, PictureOutput
from heedful.models.vision.transformer import VisionTransformer
from heedful.models.vision.unet import UNet
from heedful.tasks.explained.naming import class_named
from heedful.tasks.explained.pictures import Picture, PictureReader, side_of
from heedful.tasks.explained.reader import chosen
from heedful.tasks.explained.watching import Named, two_streams, unwatched
from heedful.train.pictures import numbers

LEAST: Final = 1e-6  # of a box that is gone: its logarithm is taken
GATES: Final = "its gates say which features pass, and no layer of it attends: quick, occlusion or measured would work"


@final
@dataclass(frozen=True, eq=False)
class PictureClassReader(PictureReader):
    """A classifier of pictures, asked for one class."""

    target: int = 0
    contrast: int | None = None

    def log_probability(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """Of the class."""
        return chosen(self.model(x).logits, self.target, self.contrast)

    @property
    def watchable(self) -> str | None:
        """A transformer's attention is over its patches."""
        return unwatched(self.model) if isinstance(self.model, VisionTransformer) else super().watchable

    @torch.no_grad()
    def read(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, " t"] | None:
        """The pooling's weights."""
        pooled: Tensor | None = self.model(x).pooled
        return None if pooled is None or isinstance(self.model, Convolutional) else pooled[0]


@final
@dataclass(frozen=True, eq=False)
class BoxReader(PictureReader):
    """A detector, asked for one class at one box.

    How likely the class is at the query whose box overlaps it best, times that overlap (Petsiuk et al. 2021, arXiv 2006.03204): no query
    is the same one when parts of the picture are gone.
    """

    target: int = 0
    contrast: int | None = None
    box: tuple[float, float, float, float] = (0.5, 0.5, 1.0, 1.0)

    def log_probability(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """Of the class at the box, as the query says that is best at both."""
        output: DetectorOutput = self.model(x)
        last = output.said[-1]
        overlap = overlaps(last.boxes, self.box)
        chances = last.logits.sigmoid()
        found = chances[..., self.target] * overlap
        best = found.argmax(1, keepdim=True)
        score = found.gather(1, best)[:, 0].clamp(min=LEAST).log()
        if self.contrast is None:
            return score
        return score - (chances[..., self.contrast] * overlap).gather(1, best)[:, 0].clamp(min=LEAST).log()

    @property
    def watchable(self) -> str | None:
        """Its attention is over the features' places, and from the queries to them."""
        return unwatched(self.model)

    def named(self, site: Site) -> Named:
        """A layer over the places, over the queries, or from these to those."""
        return two_streams(site, "encoder")


@final
@dataclass(frozen=True, eq=False)
class PixelReader(PictureReader):
    """A model that says the class of every pixel, asked for one class at some of them; 0 is none of the labels."""

    target: int = 0
    contrast: int | None = None
    there: Bool[Tensor, "h w"] | None = None

    def log_probability(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """The mean over those pixels."""
        assert self.there is not None
        output: PictureOutput = self.model(x)
        logits = output.logits[:, self.there.to(x.device)]
        count = logits.shape[1]
        return chosen(logits.flatten(0, 1), self.target, self.contrast).view(-1, count).mean(1)

    @property
    def watchable(self) -> str | None:
        """Gates are no attention over places."""
        return GATES


def overlaps(boxes: Float[Tensor, "b n 4"], box: tuple[float, float, float, float]) -> Float[Tensor, "b n"]:
    """Intersection over union of each box with one, both by their centre, width and height.

    >>> overlaps(torch.tensor([[[0.5, 0.5, 1.0, 1.0], [0.25, 0.5, 0.5, 1.0]]]), (0.5, 0.5, 1.0, 1.0)).tolist()
    [[1.0, 0.5]]
    """
    ours, theirs = boxes, boxes.new_tensor(box)
    low = torch.maximum(ours[..., :2] - ours[..., 2:] / 2, theirs[:2] - theirs[2:] / 2)
    high = torch.minimum(ours[..., :2] + ours[..., 2:] / 2, theirs[:2] + theirs[2:] / 2)
    shared = (high - low).clamp(min=0).prod(-1)
    return shared / (ours[..., 2:].prod(-1) + theirs[2:].prod() - shared)


def of_picture(model: PictureClassifier, pixels: UInt8[Tensor, "c h w"], target: object = None, contrast: object = None) -> Picture:
    """Why this class: the likeliest unless given."""
    if target is None:
        target = int(said_of(model, pixels).logits[0].argmax())
    best = class_named(target, model.labels)
    against = against_it(contrast, best, model.labels)
    side = model.spec.side if isinstance(model, VisionTransformer) else side_of(model, len(model.spec.widths))
    reader = PictureClassReader(model, side, best, against)
    return Picture(reader, pixels, model.labels[best], None if against is None else model.labels[against])


def of_box(model: Detector, pixels: UInt8[Tensor, "c h w"], target: object = None, contrast: object = None) -> Picture:
    """Why this box: the surest one, the surest of a class, or the surest but so many, counted from 1."""
    found: DetectorOutput = said_of(model, pixels)
    chances = found.said[-1].logits[0].sigmoid()
    query, best = box_named(target, chances, model.labels)
    against = against_it(contrast, best, model.labels)
    x, y, w, h = found.said[-1].boxes[0, query].tolist()
    reader = BoxReader(model, model.side, best, against, (x, y, w, h))
    return Picture(reader, pixels, f"{model.labels[best]} at {x:.2f}, {y:.2f}", None if against is None else model.labels[against])


def box_named(target: object, chances: Float[Tensor, "n c"], labels: tuple[str, ...]) -> tuple[int, int]:
    """The query and the class that are asked for."""
    if target is None or (str(target).isdigit() and str(target) not in labels):
        number = 1 if target is None else int(str(target))
        order = chances.amax(1).argsort(descending=True)
        if not 1 <= number <= len(order):
            raise UsageError(f"box {number}: the model looks for {len(order)}: 1 to {len(order)}, or a class, would work")
        query = int(order[number - 1])
        return query, int(chances[query].argmax())
    if str(target) not in labels:
        raise unknown("class", target, labels)
    best = labels.index(str(target))
    return int(chances[:, best].argmax()), best


def of_pixels(model: UNet, pixels: UInt8[Tensor, "c h w"], target: object = None, contrast: object = None) -> Picture:
    """Why this class where it was found: that with the most pixels unless given (none where there is nothing else)."""
    mask = said_of(model, pixels).logits[0].argmax(-1)
    labels = ("none", *model.labels)
    counts = torch.bincount(mask.flatten(), minlength=len(labels))
    if target is None:
        target = labels[1 + int(counts[1:].argmax()) if bool(counts[1:].any()) else 0]
    best = class_named(target, labels)
    if not int(counts[best]):
        there = ", ".join(labels[i] for i in counts.nonzero().flatten().tolist())
        raise UsageError(f"no pixel was found to be of {labels[best]}: {there} would work")
    against = against_it(contrast, best, labels)
    reader = PixelReader(model, side_of(model, len(model.spec.widths) - 1), best, against, mask == best)
    return Picture(reader, pixels, labels[best], None if against is None else labels[against])


@torch.no_grad()
def said_of(model: PictureModel, pixels: UInt8[Tensor, "c h w"]) -> Any:
    """What the model says of a picture, in evaluation."""
    training = model.training
    found = model.eval()(numbers(pixels[None].to(model.mean.device)).to(model.mean.dtype))
    model.train(training)
    return found


def against_it(contrast: object, best: int, labels: tuple[str, ...]) -> int | None:
    """The class that it is held against; `UsageError` where that is itself."""
    against = None if contrast is None else class_named(contrast, labels)
    if against == best:
        raise UsageError(f"the class {labels[best]} against itself says nothing: another contrast would work")
    return against
