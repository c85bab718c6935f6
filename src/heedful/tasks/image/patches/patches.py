"""Patches filled in: a model that learns without classes, and may begin one that learns with few (`train.start`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, final

import torch
from rich.console import Console
from torch import Tensor

from heedful.cost.summary import ModelCost, short
from heedful.data.images.batches import ImageBatch, PictureFeed, every
from heedful.data.images.pictures import PARTS, Pictures, PictureSet
from heedful.data.images.sources import load_images
from heedful.data.tokens.none import NoTokens
from heedful.errors import DataError, Unsupported, UsageError
from heedful.explanations.page import Section, page
from heedful.explanations.parts.photograph import photograph
from heedful.explanations.parts.thumbnail import gallery
from heedful.models.vision.filler import FilledOutput, Filler
from heedful.models.vision.picture_model import measured
from heedful.spec.task import RunModel, RunSpec
from heedful.spec.vision import FillerSpec
from heedful.tasks.explained.following import of_weights_alone
from heedful.tasks.image.classes.preparing import cost_of
from heedful.tasks.image.inputs import Input, inputs
from heedful.tasks.image.loading import LoadedPictures, images_of, load_pictures, refuse_words
from heedful.tasks.running import Ready
from heedful.tasks.task import Evaluation, Explanation, Measure, Record, View
from heedful.tasks.training import layers_table
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.pictures import missing_patches, numbers
from heedful.train.run import Run

CAUTION: Final = "What is painted is what such pictures usually show there, not what was."


@final
class Filled:
    """One picture with patches left out (always the same ones), and what the model paints there."""

    prompt = ""

    def __init__(self, loaded: LoadedPictures[Filler], picture: Input) -> None:
        self.loaded, self.picture = loaded, picture

    @torch.inference_mode()
    def output(self) -> FilledOutput:
        """What the model paints."""
        return said(self.loaded, self.picture.pixels[None])

    def pieces(self) -> Iterator[str]:
        """How far the painted pixels are from the true ones."""
        record = self.record()
        many = f"{record['left_out']} of {record['patches']} patches filled in"
        yield f"{many}, {record['error']:.4f} from the truth (the mean of the pixels: {record['mean']:.4f})"

    def record(self) -> Record:
        """How many patches were left out, and the root mean square error of their pixels, from 0 to 1, beside that of the pixels' mean."""
        output = self.output()
        error, mean = errors(self.loaded.model, output)
        gone = output.gone[0]
        return {"image": self.picture.name, "patches": len(gone), "left_out": int(gone.sum()), "error": error, "mean": mean}


@final
class Patches:
    """Patches that were left out."""

    kinds = ("filler",)

    def ready(self, spec: RunSpec) -> Ready:
        """A filler over pictures, whose classes are not looked at."""
        job, found = prepared(spec)
        cost = cost_of(job.model)
        return Ready(job, partial(announce, job, found, cost), fit, "images")

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """The error of what is painted, beside that of the mean of the pixels."""
        refuse_words(None, None, measure.stride)
        loaded = load_pictures(run, build_filler)
        found = loaded.pictures(measure.data)
        part = measure.split or ("validation" if measure.data is None else "whole")
        pictures = found.part(part)
        if not len(pictures):
            raise DataError(f"the {part} part of {found.name} has no pictures: --split train, validation, test or whole")
        output = said(loaded, pictures.pixels)
        error, mean = errors(loaded.model, output)
        rows: dict[str, Record] = {"filler": {"error": error, "images": len(pictures)}, "mean of the pixels": {"error": mean}}
        where = part if measure.data is None else f"{part} of {measure.data}"
        share = loaded.model.spec.left_out
        protocol = (
            f"{part} of {found.name}: root mean square error of pixels (0 to 1) of the {share:.0%} of patches left out, drawn by seed 0"
        )
        return Evaluation(where, protocol, rows)

    def predict(self, run: Path, words: Sequence[str]) -> Iterator[Filled]:
        """Each picture with some of its patches left out and filled in."""
        loaded = load_pictures(run, build_filler)

        def own(part: str) -> list[Input]:
            return [Input("", pixels) for pixels in loaded.pictures().part(part).pixels]

        return (Filled(loaded, each) for each in inputs(words, loaded.model.size, loaded.model.channels, own))

    def explain(self, run: Path, word: str, view: View) -> Explanation:
        """The picture, the picture with holes, and what was painted."""
        if not of_weights_alone(view):
            raise Unsupported(
                "patches that are painted have no probability that a method could explain: without --method, --target and --contrast, or "
                "a classifier that began with this run (train.start), it would work"
            )
        answer = next(self.predict(run, [word]))
        model, output = answer.loaded.model, answer.output()
        holes = output._replace(painted=torch.zeros_like(output.painted))
        shown = [photograph(answer.picture.pixels, "the picture", note=answer.picture.name)]
        for title, found in (("what was seen", holes), ("what was painted", output)):
            shown.append(photograph((model.pictures(found)[0] * 255).round().byte(), title))
        sections = [Section("Filled in", "", [gallery(shown)], "filled")]
        return Explanation(answer.record(), page("Patches filled in", CAUTION, sections, f"{answer.loaded.run.path}"))


def prepared(spec: RunSpec) -> tuple[Job, PictureSet]:
    """The pictures, and a filler of their size."""
    asked, data = filling(spec.model), images_of(spec)
    found = load_images(replace(data, size=data.size or asked.size, channels=data.channels or asked.channels))
    spec = replace(spec, model=replace(asked, size=found.size, channels=found.channels))
    torch.manual_seed(spec.train.seed)
    built = build_filler(spec.model)
    measured(built, found.part("train").pixels)
    feed = PictureFeed(bare(found.part("train")), bare(found.part("validation")))
    return Job(built, spec, NoTokens(), objective=missing_patches(data.augment), feed=feed), found


def bare(pictures: Pictures) -> ImageBatch:
    """Pictures whose classes nobody asks for."""
    return ImageBatch(pictures.pixels, torch.zeros(len(pictures), dtype=torch.long))


def filling(spec: RunModel) -> FillerSpec:
    """The spec, if it is a filler's."""
    if not isinstance(spec, FillerSpec):
        raise UsageError(f"model.kind is {spec.kind}: filler fills in patches")
    return spec


def build_filler(spec: RunModel) -> Filler:
    """The filler of a spec."""
    return Filler(filling(spec))


@torch.inference_mode()
def said(loaded: LoadedPictures[Filler], pixels: Tensor) -> FilledOutput:
    """What the model paints in each picture; the holes are drawn by seed 0."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        gone = loaded.model.drawn(len(pixels), torch.device("cpu"))
    whole = ImageBatch(pixels, gone)
    parts = [
        loaded.model(numbers(some.pixels.to(loaded.device)), gone=some.labels.to(loaded.device))
        for some in every(whole, loaded.spec.train.eval_batch)
    ]
    return FilledOutput(*(torch.cat(each) for each in zip(*parts, strict=True)))


def errors(model: Filler, output: FilledOutput) -> tuple[float, float]:
    """Root mean square errors of the left-out pixels, 0 to 1: of what is painted, and of the mean of all pixels."""
    spread = model.spread.repeat_interleave(model.spec.pixels**2, 0).flatten()
    truth = output.patches[output.gone] * spread
    wrong = (output.painted.float()[output.gone] * spread - truth).square().mean()
    return round(float(wrong.sqrt()), 6), round(float(truth.square().mean().sqrt()), 6)


def announce(job: Job, found: PictureSet, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    sizes = ", ".join(f"{part} {len(found.part(part)):,}" for part in PARTS if len(found.part(part)))
    console.print(layers_table(cost))
    for line in (
        f"{job.spec.model.kind}: {cost.line()}",
        f"{short(cost.operations)} operations a picture read, about three times that a picture trained",
        f"{found.name}: {sizes} pictures of {found.size} x {found.size}, their classes not looked at; {found.split}",
    ):
        console.print(line, highlight=False, soft_wrap=True)


def fit(trainer: Trainer, run: Run, console: Console) -> None:
    """Train, and say what came of it."""
    found = trainer.fit()
    if not trainer.main:
        return
    line = f"{found.steps:,} steps in {found.seconds:,.0f} s: best validation loss {found.best:.4f} at step {found.best_step:,}"
    console.print(line, highlight=False, soft_wrap=True)
    after = (
        f"heedful evaluate {run.path} --split test; heedful train image --set model.kind=vit --set train.start={run.path} begins from it"
    )
    console.print(f"saved in {run.path}: {after}", highlight=False, soft_wrap=True)
