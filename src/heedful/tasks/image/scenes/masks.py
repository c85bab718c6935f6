"""The class of every pixel, by an attention-gated U-Net."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Final, final

import torch
from jaxtyping import Int
from rich.console import Console
from torch import Tensor

from heedful.data.images.batches import every
from heedful.data.images.scenes import around, load_scenes
from heedful.errors import UsageError
from heedful.explanations.page import Section, page
from heedful.explanations.parts.photograph import photograph
from heedful.explanations.parts.thumbnail import gallery
from heedful.models.vision.picture_model import PictureOutput
from heedful.models.vision.unet import UNet
from heedful.spec.task import RunModel, RunSpec
from heedful.spec.vision import UNetSpec
from heedful.tasks.explained.following import of_weights_alone
from heedful.tasks.explained.pictured import why_shown
from heedful.tasks.explained.seen import of_pixels
from heedful.tasks.image.classes.opened import watched
from heedful.tasks.image.classes.preparing import cost_of
from heedful.tasks.image.inputs import Input, inputs
from heedful.tasks.image.loading import LoadedPictures, load_pictures, refuse_words, scenes_of
from heedful.tasks.image.scenes.mask_scores import confusions, listed, scored
from heedful.tasks.image.scenes.preparing import announce, judged, prepared
from heedful.tasks.running import Ready
from heedful.tasks.task import Evaluation, Explanation, Measure, Record, View
from heedful.train.loop import Trainer
from heedful.train.pictures import class_of_pixels, numbers
from heedful.train.run import Run

CAUTION: Final = "Each gate says which places of the finer features pass; it does not prove why a pixel got its class."


@final
class Segmented:
    """What stands where in one picture."""

    prompt = ""

    def __init__(self, loaded: LoadedPictures[UNet], picture: Input) -> None:
        self.loaded, self.picture = loaded, picture

    @torch.inference_mode()
    def mask(self) -> Int[Tensor, "h w"]:
        """The class of every pixel; 0 is none."""
        output: PictureOutput = self.loaded.model(numbers(self.picture.pixels[None].to(self.loaded.device)))
        return output.logits[0].argmax(-1).cpu()

    def pieces(self) -> Iterator[str]:
        """The classes and their shares."""
        yield ", ".join(f"{each['label']} {each['share']:.1%}" for each in self.record()["classes"]) or "nothing"

    def record(self) -> Record:
        """Each class with its share of the pixels and its box, and the mask row by row as [class, pixels] runs."""
        mask = self.mask()
        found: list[dict[str, Any]] = []
        for number in sorted(set(mask.flatten().tolist()) - {0}):
            seen = mask == number
            box = [round(value, 4) for value in around(seen).tolist()]
            found.append({"label": self.loaded.model.labels[number - 1], "share": round(float(seen.double().mean()), 4), "box": box})
        runs = [[number, len(list(group))] for number, group in groupby(mask.flatten().tolist())]
        ordered = sorted(found, key=lambda each: -each["share"])
        return {"image": self.picture.name, "classes": ordered, "size": list(mask.shape), "runs": runs}


@final
class Masks:
    """The class of every pixel."""

    kinds = ("unet",)

    def ready(self, spec: RunSpec) -> Ready:
        """A U-Net over scenes."""
        found = prepared(spec, asked(spec.model), build_unet, class_of_pixels)
        cost = cost_of(found.job.model)
        return Ready(found.job, partial(announce, found, cost), fit, "images")

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Mean overlap, and that of each class."""
        refuse_words(None, None, measure.stride)
        loaded = load_pictures(run, build_unet)
        part, found, batch = judged(loaded, measure)
        table = counted(loaded, batch)
        labels = loaded.model.labels
        where = part if measure.data is None else f"{part} of {measure.data}"
        protocol = f"{part} of {found.name} ({found.split}): {len(batch.pixels):,} scenes, overlaps summed over all of them"
        return Evaluation(where, protocol, {"unet": {**scored(table, labels), "images": len(batch.pixels)}}, (listed(table, labels),))

    def predict(self, run: Path, words: Sequence[str]) -> Iterator[Segmented]:
        """The mask of each picture."""
        loaded = load_pictures(run, build_unet)
        return (Segmented(loaded, each) for each in read(loaded, words))

    def explain(self, run: Path, word: str, view: View) -> Explanation:
        """The mask of a picture, and which places each gate let through; by a method, the cells that speak for one class of its pixels."""
        answer = next(self.predict(run, [word]))
        if not of_weights_alone(view):
            subject = of_pixels(answer.loaded.model, answer.picture.pixels, view.target, view.contrast)
            return why_shown(subject, run, answer.record(), view)
        with watched(answer.loaded.model) as openings:
            mask = answer.mask()
        record = dict(answer.record())
        record["gates"] = [
            {"gate": each.name, "least": round(float(each.places.min()), 4), "most": round(float(each.places.max()), 4)}
            for each in openings
            if each.places is not None
        ]
        pixels = answer.picture.pixels
        pictures = [photograph(pixels, "the picture", note=answer.picture.name)]
        pictures += [
            photograph(pixels, answer.loaded.model.labels[number - 1], (mask == number).double())
            for number in sorted(set(mask.flatten().tolist()) - {0})
        ]
        gates = [photograph(pixels, each.name, each.places, "How far each place is open;") for each in openings if each.places is not None]
        sections = [Section("What stands where", "", [gallery(pictures)], "mask")]
        sections += [Section("Gates", "From the coarsest to the finest.", [gallery(gates)], "gates")] if gates else []
        return Explanation(record, page("What stands where", CAUTION, sections, f"{answer.loaded.run.path}"))


def asked(spec: RunModel) -> UNetSpec:
    """The spec, if it is a U-Net's."""
    if not isinstance(spec, UNetSpec):
        raise UsageError(f"model.kind is {spec.kind}: unet says the class of every pixel")
    return spec


def build_unet(spec: RunModel) -> UNet:
    """The U-Net of a spec."""
    return UNet(asked(spec))


def read(loaded: LoadedPictures[Any], words: Sequence[str]) -> Iterator[Input]:
    """The pictures that the words name; `test:3` is a scene of the run's own."""

    def own(part: str) -> list[Input]:
        return [Input("", pixels) for pixels in load_scenes(scenes_of(loaded.spec), (part,)).parts[part].pixels]

    return inputs(words, loaded.model.size, loaded.model.channels, own)


@torch.inference_mode()
def counted(loaded: LoadedPictures[UNet], batch: Any) -> Int[Tensor, "c c"]:
    """The confusions of all pixels."""
    device, classes = loaded.device, len(loaded.model.labels) + 1
    pairs = (
        (some.labels, loaded.model(numbers(some.pixels.to(device))).logits.argmax(-1).cpu())
        for some in every(batch, loaded.spec.train.eval_batch)
    )
    return confusions(pairs, classes)


def fit(trainer: Trainer, run: Run, console: Console) -> None:
    """Train, and say what came of it."""
    found = trainer.fit()
    if not trainer.main:
        return
    line = (
        f"{found.steps:,} steps in {found.seconds:,.0f} s: best validation loss {found.best:.4f} nats a pixel at step {found.best_step:,}"
    )
    console.print(line, highlight=False, soft_wrap=True)
    console.print(f"saved in {run.path}: heedful evaluate {run.path} --split test", highlight=False, soft_wrap=True)
