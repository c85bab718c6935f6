"""Boxes around items, by a small detector that learns a set (Carion et al. 2020, arXiv 2005.12872)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, final

import torch
from rich.console import Console

from heedful.data.images.batches import SceneBatch, every
from heedful.errors import UsageError
from heedful.explanations.page import Section, page
from heedful.explanations.parts.overlay import Cover, Laying, cells, overlay
from heedful.explanations.parts.photograph import box, photograph
from heedful.explanations.parts.thumbnail import gallery
from heedful.models.vision.detector import Detector, DetectorOutput
from heedful.spec.task import RunModel, RunSpec
from heedful.spec.vision import DetectorSpec
from heedful.tasks.explained.following import of_weights_alone
from heedful.tasks.explained.pictured import why_shown
from heedful.tasks.explained.seen import of_box
from heedful.tasks.image.classes.preparing import cost_of
from heedful.tasks.image.inputs import Input
from heedful.tasks.image.loading import LoadedPictures, load_pictures, refuse_words
from heedful.tasks.image.scenes.box_scores import Boxes as Scene
from heedful.tasks.image.scenes.box_scores import scored
from heedful.tasks.image.scenes.masks import read
from heedful.tasks.image.scenes.pointing import pointed
from heedful.tasks.image.scenes.preparing import announce, judged, prepared
from heedful.tasks.running import Ready
from heedful.tasks.task import Evaluation, Explanation, Measure, Record, View
from heedful.train.loop import Trainer
from heedful.train.matched import boxes_of_scene
from heedful.train.pictures import numbers
from heedful.train.run import Run

CAUTION: Final = "Cross-attention says which places a box was read from; it does not prove why it got its class."
SURE: Final = 0.3  # the probability from which a box is shown


@final
class Detected:
    """The boxes of one picture."""

    prompt = ""

    def __init__(self, loaded: LoadedPictures[Detector], picture: Input) -> None:
        self.loaded, self.picture = loaded, picture

    @torch.inference_mode()
    def output(self, trace: bool = False) -> DetectorOutput:
        """What the model says of the picture."""
        found: DetectorOutput = self.loaded.model(numbers(self.picture.pixels[None].to(self.loaded.device)), trace=trace)
        return found

    def pieces(self) -> Iterator[str]:
        """The classes found."""
        yield ", ".join(f"{each['label']} ({each['confidence']:.1%})" for each in self.record()["boxes"]) or "nothing"

    def record(self) -> Record:
        """Boxes as centre, width and height, in shares of the sides, the surest first."""
        return self.told(self.output())

    def told(self, output: DetectorOutput) -> dict[str, Any]:
        """The same from what the model said; `query` counts from 0."""
        last, found = output.said[-1], list[dict[str, Any]]()
        sure, number = last.logits[0].sigmoid().max(-1)
        for query in sure.argsort(descending=True).tolist():
            if float(sure[query]) >= SURE:
                place = [round(value, 4) for value in last.boxes[0, query].tolist()]
                label = self.loaded.model.labels[int(number[query])]
                found.append({"label": label, "confidence": round(float(sure[query]), 4), "box": place, "query": query})
        return {"image": self.picture.name, "boxes": found}


@final
class Boxes:
    """A box around every item."""

    kinds = ("detector",)

    def ready(self, spec: RunSpec) -> Ready:
        """A detector over scenes."""
        found = prepared(spec, asked(spec.model), build_detector, boxes_of_scene())
        cost = cost_of(found.job.model)
        return Ready(found.job, partial(announce, found, cost), fit, "images")

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """mAP, that of each class, and whether attention falls on the items that the boxes are of."""
        refuse_words(None, None, measure.stride)
        loaded = load_pictures(run, build_detector)
        part, found, batch = judged(loaded, measure)
        outputs = said(loaded, batch)
        truth = [
            Scene(classes[classes >= 0], boxes[classes >= 0], torch.ones(int((classes >= 0).sum())))
            for classes, boxes in zip(batch.classes, batch.boxes, strict=True)
        ]
        record, listing = scored([scene for each in outputs for scene in ranked(each)], truth, loaded.model.labels)
        pointing = pointed(outputs, batch, loaded.model.side)
        where = part if measure.data is None else f"{part} of {measure.data}"
        protocol = f"{part} of {found.name} ({found.split}): {len(batch.pixels):,} scenes; average precision at all points"
        return Evaluation(where, protocol, {"detector": {**record, **pointing, "images": len(batch.pixels)}}, (listing,))

    def predict(self, run: Path, words: Sequence[str]) -> Iterator[Detected]:
        """The boxes of each picture."""
        loaded = load_pictures(run, build_detector)
        return (Detected(loaded, each) for each in read(loaded, words))

    def explain(self, run: Path, word: str, view: View) -> Explanation:
        """The boxes of a picture, and where each of them was read; by a method, the cells that speak for one of them."""
        answer = next(self.predict(run, [word]))
        if not of_weights_alone(view):
            subject = of_box(answer.loaded.model, answer.picture.pixels, view.target, view.contrast)
            return why_shown(subject, run, answer.record(), view)
        output = answer.output(trace=True)
        record, side, pixels = answer.told(output), answer.loaded.model.side, answer.picture.pixels
        maps = []
        for each in record["boxes"]:
            looked = (
                torch.stack([trace.weights[0].float().cpu().mean(0)[each["query"]] for trace in output.traces]).mean(0).view(side, side)
            )
            row, column = divmod(int(looked.argmax()), side)
            each["looked"] = [round((column + 0.5) / side, 4), round((row + 0.5) / side, 4)]
            outline = box(tuple(each["box"]), each["label"])
            how = Laying(cells(side, side), about="Where it was read:", outlines=(outline,))
            name = f"{each['label']} ({each['confidence']:.1%})"
            maps.append(overlay(pixels, [Cover(name, looked)], name, how))
        whole = photograph(
            pixels, "the picture", None, answer.picture.name, tuple(box(tuple(e["box"]), e["label"]) for e in record["boxes"])
        )
        sections = [Section("What was found", "", [gallery([whole, *maps], large=True)], "boxes")]
        return Explanation(record, page("What was found", CAUTION, sections, f"{answer.loaded.run.path}"))


def asked(spec: RunModel) -> DetectorSpec:
    """The spec, if it is a detector's."""
    if not isinstance(spec, DetectorSpec):
        raise UsageError(f"model.kind is {spec.kind}: detector finds boxes")
    return spec


def build_detector(spec: RunModel) -> Detector:
    """The detector of a spec."""
    return Detector(asked(spec))


@torch.inference_mode()
def said(loaded: LoadedPictures[Detector], batch: SceneBatch) -> list[DetectorOutput]:
    """What the model says of every scene, a batch at a time."""
    parts = every(batch, loaded.spec.train.eval_batch)
    return [loaded.model(numbers(some.pixels.to(loaded.device)), trace=True) for some in parts]


def ranked(output: DetectorOutput) -> list[Scene]:
    """Every class of every query as a box of its own, for each scene of a batch."""
    last = output.said[-1]
    classes = last.logits.shape[-1]
    numbers_of = torch.arange(classes).repeat(last.logits.shape[1])
    return [
        Scene(numbers_of, boxes.cpu().repeat_interleave(classes, 0), logits.sigmoid().flatten().cpu())
        for logits, boxes in zip(last.logits, last.boxes, strict=True)
    ]


def fit(trainer: Trainer, run: Run, console: Console) -> None:
    """Train, and say what came of it."""
    found = trainer.fit()
    if not trainer.main:
        return
    line = f"{found.steps:,} steps in {found.seconds:,.0f} s: best validation loss {found.best:.4f} at step {found.best_step:,}"
    console.print(line, highlight=False, soft_wrap=True)
    console.print(f"saved in {run.path}: heedful evaluate {run.path} --split test", highlight=False, soft_wrap=True)
