"""From a spec to a job: pictures in bytes, and a model of their size, channels and classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console
from torch import Tensor, nn

from heedful.cost.summary import ModelCost, short, summarise
from heedful.data.images.batches import ImageBatch, PictureFeed
from heedful.data.images.pictures import PARTS, Pictures, PictureSet, balance
from heedful.data.images.sources import load_images
from heedful.data.tokens.none import NoTokens
from heedful.errors import UsageError
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.checkpoint import fill, load_checkpoint
from heedful.models.vision.build import PictureClassifier, PictureClassifierSpec, build_picture_classifier, picture_classifying
from heedful.models.vision.filler import Filler
from heedful.models.vision.picture_model import PictureModel, measured
from heedful.models.vision.transformer import VisionTransformer
from heedful.spec.images import ImageDataSpec
from heedful.spec.task import RunModel, RunSpec
from heedful.spec.vision import FillerSpec
from heedful.tasks.image.loading import images_of, load_pictures
from heedful.tasks.training import layers_table
from heedful.train.budgeted.budgeted import told
from heedful.train.job import Job
from heedful.train.pictures import class_of_picture
from heedful.train.run import Run


class Prepared(NamedTuple):
    """A job, and the pictures it was made of."""

    job: Job
    pictures: PictureSet


def prepared(spec: RunSpec) -> Prepared:
    """The pictures as one batch a part, and a model for their classes.

    Errors: those of data and specs, and `UsageError` for a model that has other classes, or another size, than the pictures.
    """
    asked, data = picture_classifying(spec.model), images_of(spec)
    found = load_images(replace(data, size=data.size or asked.size, channels=data.channels or asked.channels))
    model = shaped(asked, found, data)
    spec = replace(spec, model=model)
    torch.manual_seed(spec.train.seed)
    built = build_picture_classifier(model)
    measured(built, found.part("train").pixels)
    if spec.train.start is not None:
        begin_from(Path(spec.train.start), built)
    train, validation = (batch_of(found.part(part), model.labels) for part in ("train", "validation"))
    objective = class_of_picture(data.augment, spec.train.smoothing)
    return Prepared(Job(built, spec, NoTokens(), objective=objective, feed=PictureFeed(train, validation), judge="errors"), found)


def shaped(asked: PictureClassifierSpec, found: PictureSet, data: ImageDataSpec) -> PictureClassifierSpec:
    """The model's spec with the classes, size and channels of the pictures, which its own must be where it names any."""
    if asked.labels and set(asked.labels) != set(found.labels):
        raise UsageError(
            f"model.labels are {', '.join(asked.labels)}, and the pictures of {found.name} have {', '.join(found.labels)}: "
            "none (those of the data) would work"
        )
    for name, wanted, there in (("size", asked.size, found.size), ("channels", asked.channels, found.channels)):
        if wanted not in (0, there):
            raise UsageError(f"model.{name} is {wanted}, and the pictures of {data.source} have {there}: 0 (as they have) would work")
    return replace(asked, labels=asked.labels or found.labels, size=found.size, channels=found.channels)


def begin_from(path: Path, built: PictureClassifier) -> None:
    """Start with the weights of another run: all of a classifier's, or the encoder of one that filled in patches."""
    if isinstance(model_of(path), FillerSpec):
        if not isinstance(built, VisionTransformer):
            raise UsageError(f"{path} fills in patches, and its encoder begins a model of kind vit, found {built.spec.kind}")
        fill(path, built.encoder, load_pictures(path, lambda spec: Filler(filler_of(spec))).model.encoder.state_dict())
        return
    begun = load_pictures(path, build_picture_classifier)
    fill(path, built, begun.model.state_dict())


def model_of(path: Path) -> RunModel:
    """The model of a run, or of a checkpoint."""
    return load_checkpoint(path).spec.model if path.is_file() else Run.open(path).spec.model


def filler_of(spec: RunModel) -> FillerSpec:
    """The spec of a model that fills in patches."""
    assert isinstance(spec, FillerSpec)
    return spec


def batch_of(pictures: Pictures, labels: tuple[str, ...]) -> ImageBatch:
    """Pictures and the numbers of their classes."""
    place = {label: i for i, label in enumerate(labels)}
    return ImageBatch(pictures.pixels, torch.tensor([place[label] for label in pictures.labels], dtype=torch.long))


def example(model: PictureModel) -> Tensor:
    """One picture of the model's size."""
    return torch.rand(1, model.channels, model.size, model.size, generator=torch.Generator().manual_seed(0))


def cost_of(model: nn.Module) -> ModelCost:
    """Parameters and operations of one picture."""
    assert isinstance(model, PictureModel)
    was = model.training
    cost = summarise(model.eval(), [example(model)], attention=(MultiHeadAttention,))
    model.train(was)
    return cost


def announce(found: Prepared, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    spec, pictures = found.job.spec, found.pictures
    sizes = ", ".join(f"{part} {len(pictures.part(part)):,}" for part in PARTS if len(pictures.part(part)))
    kind = "grey" if pictures.channels == 1 else "colour"
    console.print(layers_table(cost))
    for line in (
        f"{spec.model.kind}: {cost.line()}",
        f"{short(cost.operations)} operations a picture read, about three times that a picture trained",
        f"{pictures.name}: {sizes} pictures of {pictures.size} x {pictures.size}, {kind}; "
        f"{balance(pictures.part('train'))}; {pictures.split}",
        told(found.job.model, spec.train, spec.model.context),
    ):
        if line:
            console.print(line, highlight=False, soft_wrap=True)
