"""A run's model of pictures and its spec, ready to be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

import torch

from heedful.data.images.pictures import PictureSet
from heedful.data.images.sources import load_images
from heedful.errors import UsageError
from heedful.models.checkpoint import load_checkpoint
from heedful.models.vision.picture_model import PictureModel
from heedful.spec.check import SpecError
from heedful.spec.images import ImageDataSpec, SceneDataSpec
from heedful.spec.task import RunModel, RunSpec
from heedful.tasks.classify.calibrate import temperature_in
from heedful.tasks.restored import restored
from heedful.train.run import Run

M = TypeVar("M", bound=PictureModel)


@dataclass(frozen=True, eq=False)
class LoadedPictures(Generic[M]):
    """What a run has learnt: its best model, in evaluation mode, and how its scores of classes are cooled."""

    run: Run
    model: M
    spec: RunSpec
    temperature: float = 1.0

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def pictures(self, data: str | None = None) -> PictureSet:
        """The run's own pictures, or others brought to their size and channels."""
        own = images_of(self.spec)
        fixed = replace(own, size=self.model.size, channels=self.model.channels)
        return load_images(fixed if data is None else replace(fixed, source=data, image=None, label=None))


def load_pictures(path: Path, builder: Callable[[RunModel], M]) -> LoadedPictures[M]:
    """The best checkpoint of a run, or the checkpoint itself where `path` is a file.

    Errors: `CheckpointError` for a folder that is no run, or a checkpoint that is missing, cut short or of another model.
    """
    found = restored(path, builder)
    return LoadedPictures(found.run, found.model, found.spec, temperature_in(found.checkpoint))


def spec_at(path: Path) -> RunSpec:
    """What a run, or one of its checkpoints, was trained from."""
    return load_checkpoint(path).spec if path.is_file() else Run.open(path).spec


def images_of(spec: RunSpec) -> ImageDataSpec:
    """The data, if it is pictures with classes; `SpecError` if it is of another kind."""
    if not isinstance(spec.data, ImageDataSpec):
        raise SpecError("data.kind", f"wants images for a model of kind {spec.model.kind}, found {spec.data.kind}")
    return spec.data


def scenes_of(spec: RunSpec) -> SceneDataSpec:
    """The data, if it is scenes; `SpecError` if it is of another kind."""
    if not isinstance(spec.data, SceneDataSpec):
        raise SpecError("data.kind", f"wants scenes for a model of kind {spec.model.kind}, found {spec.data.kind}")
    return spec.data


def refuse_words(words: object, usual: object, stride: int | None = None) -> None:
    """Refuse what is said of texts: options of drawing them, and a stride."""
    if words != usual:
        raise UsageError("options of sampling and ending are for texts that go on: pictures draw nothing, and without them it would work")
    if stride is not None:
        raise UsageError("--stride scores a text token by token, and a picture has none: without it, it would work")
