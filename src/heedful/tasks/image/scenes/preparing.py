"""From a spec to a job over scenes, whatever is learnt of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from rich.console import Console

from heedful.cost.summary import ModelCost, short
from heedful.data.images.batches import PictureFeed, SceneBatch
from heedful.data.images.scenes import PARTS, SceneSet, load_scenes
from heedful.data.tokens.none import NoTokens
from heedful.errors import DataError, UsageError
from heedful.models.checkpoint import fill
from heedful.models.vision.picture_model import PictureModel, measured
from heedful.spec.task import RunModel, RunSpec
from heedful.spec.vision import DetectorSpec, UNetSpec
from heedful.tasks.image.loading import LoadedPictures, load_pictures, scenes_of
from heedful.tasks.task import Measure
from heedful.tasks.training import layers_table
from heedful.train.job import Job
from heedful.train.objective import Objective

M = TypeVar("M", bound=PictureModel)
S = TypeVar("S", bound=UNetSpec | DetectorSpec)


class Prepared(NamedTuple):
    """A job, and the scenes it was made of."""

    job: Job
    scenes: SceneSet


def prepared(spec: RunSpec, asked: S, builder: Callable[[RunModel], M], objective: Objective) -> Prepared:
    """The scenes as one batch a part, and a model of their size and classes.

    Errors: those of data and specs, and `UsageError` for a model of other classes than the items.
    """
    data = scenes_of(spec)
    found = load_scenes(data)
    if asked.labels and asked.labels != found.labels:
        raise UsageError(f"model.labels are {', '.join(asked.labels)}, and the items {', '.join(found.labels)}: none (theirs) would work")
    if asked.size not in (0, data.size) or asked.channels not in (0, 1):
        raise UsageError(f"model.size is {asked.size} and model.channels {asked.channels}: the scenes have {data.size} and 1; 0 would work")
    spec = replace(spec, model=replace(asked, labels=found.labels, size=data.size, channels=1))
    torch.manual_seed(spec.train.seed)
    built = builder(spec.model)
    measured(built, found.parts["train"].pixels)
    if spec.train.start is not None:
        begun = load_pictures(Path(spec.train.start), builder)
        fill(Path(spec.train.start), built, begun.model.state_dict())
    feed = PictureFeed(found.parts["train"], found.parts["validation"])
    return Prepared(Job(built, spec, NoTokens(), objective=objective, feed=feed), found)


def announce(found: Prepared, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    spec, scenes = found.job.spec, found.scenes
    sizes = ", ".join(f"{part} {len(scenes.parts[part].pixels):,}" for part in PARTS)
    console.print(layers_table(cost))
    for line in (
        f"{spec.model.kind}: {cost.line()}",
        f"{short(cost.operations)} operations a scene read, about three times that a scene trained",
        f"{scenes.name}: {sizes}; {len(scenes.labels)} classes; {scenes.split}",
    ):
        console.print(line, highlight=False, soft_wrap=True)


def judged(loaded: LoadedPictures[M], measure: Measure) -> tuple[str, SceneSet, SceneBatch]:
    """The part that is measured: of the run's own scenes, or of scenes made of other items."""
    own = scenes_of(loaded.spec)
    part = measure.split or "validation"
    if part == "whole":
        raise UsageError("--split whole: scenes are made part by part: train, validation or test would work")
    found = load_scenes(own if measure.data is None else replace(own, source=measure.data), (part,))
    if found.labels != loaded.model.labels:
        raise DataError(f"{found.name} have items of {', '.join(found.labels[:5])}; this model knows {', '.join(loaded.model.labels[:5])}")
    return part, found, found.parts[part]
