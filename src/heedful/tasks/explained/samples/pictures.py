"""Pictures and scenes: each is explained for its class, for its surest box, or for the class most of its pixels have."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeVar, final

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn.functional import interpolate

from heedful.data.images.batches import SceneBatch
from heedful.errors import Unsupported, UsageError
from heedful.explanations.faithfulness.truth import Truth
from heedful.explanations.subject import Subject
from heedful.models.vision.build import KINDS, build_picture_classifier
from heedful.models.vision.detector import Detector
from heedful.models.vision.unet import UNet
from heedful.tasks.explained.asking import Asking
from heedful.tasks.explained.pictures import Picture
from heedful.tasks.explained.samples.sample import Sample, evenly, part_of, refuse_longest
from heedful.tasks.explained.seen import BoxReader, of_box, of_picture, of_pixels, overlaps
from heedful.tasks.image.loading import LoadedPictures, load_pictures, spec_at
from heedful.tasks.image.scenes.boxes import build_detector
from heedful.tasks.image.scenes.masks import build_unet
from heedful.tasks.image.scenes.pointing import inside
from heedful.tasks.image.scenes.preparing import judged
from heedful.tasks.task import Measure

HALF: Final = 0.5  # of the union that a box shares with an item's, from which it is the item's


@final
class OfPictures:
    """Pictures of whatever the run's model is for."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """Every so-many-th picture of the part; scenes say which cells their items are on."""
        refuse_longest(asking, "a picture has none")
        kind = spec_at(run).model.kind
        if kind in KINDS:
            return of_classes(run, asking)
        if kind == "detector":
            return of_scenes(load_pictures(run, build_detector), asking)
        if kind == "unet":
            return of_scenes(load_pictures(run, build_unet), asking)
        raise Unsupported(f"methods are not compared for models of kind {kind}: {', '.join((*KINDS, 'detector', 'unet'))} would work")


def of_classes(run: Path, asking: Asking) -> Sample:
    """Pictures by their class."""
    loaded, split = load_pictures(run, build_picture_classifier), part_of(asking)
    found = loaded.pictures(asking.data)
    part = found.part(split)
    places = evenly(len(part), asking.limit)
    if not places:
        raise UsageError(f"--split {split}: {found.name} has no pictures there; another part would work")
    subjects = (of_picture(loaded.model, part.pixels[i]) for i in places)
    return Sample(loaded.model, subjects, len(places), f"{found.name} ({split})")


M = TypeVar("M", Detector, UNet)


def of_scenes(loaded: LoadedPictures[M], asking: Asking) -> Sample:
    """Scenes by one box or one class of their pixels."""
    part, found, batch = judged(loaded, Measure(asking.data, asking.split))
    places = evenly(len(batch.pixels), asking.limit)
    subjects = (of_scene(loaded.model, batch, i) for i in places)
    return Sample(loaded.model, subjects, len(places), f"{found.name} ({part})")


def of_scene(model: Detector | UNet, batch: SceneBatch, i: int) -> Subject:
    """One scene, with the cells that hold the item that is explained."""
    if isinstance(model, Detector):
        subject = of_box(model, batch.pixels[i])
        there = item_of(subject, batch, i)
    else:
        subject = of_pixels(model, batch.pixels[i])
        there = batch.labels[i] == ("none", *model.labels).index(subject.answer)
    cells = interpolate(there[None, None].float(), (subject.reader.side,) * 2, mode="area")[0, 0].flatten() > 0
    if bool(cells.any()) and not bool(cells.all()):
        subject.truth = Truth.of(cells)
    return subject


def item_of(subject: Picture, batch: SceneBatch, i: int) -> Bool[Tensor, "h w"]:
    """The pixels of the item that the explained box is of, within its box; none where it is no item's."""
    reader = subject.reader
    assert isinstance(reader, BoxReader)
    shared = overlaps(batch.boxes[i][None], reader.box)[0].masked_fill(batch.classes[i] < 0, 0.0)
    item = int(shared.argmax())
    if float(shared[item]) < HALF:
        return torch.zeros_like(batch.labels[i], dtype=torch.bool)
    return inside(batch.boxes[i, item], batch.labels.shape[-1]) & (batch.labels[i] == batch.classes[i, item] + 1)
