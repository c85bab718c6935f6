"""Items followed through moving scenes: their boxes in the first frame are given, those of all others are found by attention."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, final

import torch
from jaxtyping import Float, UInt8
from rich.console import Console
from torch import Tensor

from heedful.cost.summary import ModelCost, short, summarise
from heedful.data.images.batches import PictureFeed, every
from heedful.data.images.decode import decoded
from heedful.data.images.moving import MovingBatch, MovingSet, load_moving
from heedful.data.images.pictures import PARTS, channelled
from heedful.data.tokens.none import NoTokens
from heedful.errors import DataError, UsageError
from heedful.explanations.page import Section, page
from heedful.explanations.parts.photograph import box, photograph
from heedful.explanations.parts.thumbnail import gallery
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.vision.picture_model import measured
from heedful.models.vision.tracker import Tracker, TrackerOutput
from heedful.spec.check import SpecError
from heedful.spec.moving import MovingDataSpec, TrackerSpec
from heedful.spec.task import RunModel, RunSpec
from heedful.tasks.image.inputs import OWN
from heedful.tasks.image.loading import LoadedPictures, load_pictures, refuse_words
from heedful.tasks.image.scenes.boxes import fit
from heedful.tasks.image.scenes.track_scores import followed, pointed
from heedful.tasks.running import Ready
from heedful.tasks.task import Evaluation, Explanation, Measure, Record, View
from heedful.tasks.training import layers_table
from heedful.train.job import Job
from heedful.train.pictures import numbers
from heedful.train.tracked import boxes_that_move

CAUTION: Final = "Cross-attention says where each item was looked for; it does not prove why its box went there."
WANTED: Final = '{"frames": ["0.png", "1.png"], "boxes": [[0.5, 0.5, 0.2, 0.2]]}'


class Film(NamedTuple):
    """Frames, the boxes of the first, and what each item is called."""

    name: str
    pixels: UInt8[Tensor, "f c h w"]
    boxes: Float[Tensor, "n 4"]
    labels: tuple[str, ...]


@final
class Followed:
    """The boxes of one moving scene."""

    prompt = ""

    def __init__(self, loaded: LoadedPictures[Tracker], film: Film) -> None:
        self.loaded, self.film = loaded, film

    @torch.inference_mode()
    def output(self, trace: bool = False) -> TrackerOutput:
        """What the model says of the scene."""
        device, boxes = self.loaded.device, self.film.boxes[None]
        counts = torch.tensor([boxes.shape[1]], device=device)
        found: TrackerOutput = self.loaded.model(numbers(self.film.pixels[None].to(device)), boxes.to(device), counts, trace=trace)
        return found

    def pieces(self) -> Iterator[str]:
        """Where each item ends."""
        for number, each in enumerate(self.record()["items"]):
            x, y, w, h = each["boxes"][-1]
            yield ("\n" if number else "") + f"{each['label']}: at {x:.2f}, {y:.2f}, {w:.2f} wide and {h:.2f} high in the last frame"

    def record(self) -> Record:
        """Each item's boxes frame by frame, as centre, width and height in shares of the sides."""
        return self.told(self.output())

    def told(self, output: TrackerOutput) -> dict[str, Any]:
        """The same from what the model said."""
        boxes = output.boxes[0].cpu().permute(1, 0, 2).tolist()
        items = [
            {"label": label, "boxes": [[round(value, 4) for value in each] for each in way]}
            for label, way in zip(self.film.labels, boxes, strict=True)
        ]
        return {"image": self.film.name, "frames": len(self.film.pixels), "items": items}


@final
class Tracks:
    """The boxes of moving items."""

    kinds = ("tracker",)

    def ready(self, spec: RunSpec) -> Ready:
        """A tracker over moving scenes."""
        asked, data = tracking(spec.model), moving_of(spec)
        found = load_moving(data, ("train", "validation"))
        if asked.size not in (0, data.size) or asked.channels not in (0, 1):
            raise UsageError(f"model.size is {asked.size} and model.channels {asked.channels}: frames have {data.size} and 1; 0 would work")
        spec = replace(spec, model=replace(asked, labels=found.labels, size=data.size, channels=1))
        torch.manual_seed(spec.train.seed)
        model = build_tracker(spec.model)
        train = found.parts["train"]
        measured(model, train.pixels.flatten(0, 1))
        feed = PictureFeed[MovingBatch](train, found.parts["validation"])
        job = Job(model, spec, NoTokens(), objective=boxes_that_move, feed=feed)
        return Ready(job, partial(announce, job, found, cost_of(model, train)), fit, "scenes")

    def evaluate(self, run: Path, measure: Measure) -> Evaluation:
        """Overlap, identity and the pointing test, beside boxes that stay where they began."""
        refuse_words(None, None, measure.stride)
        loaded = load_pictures(run, build_tracker)
        part, own = measure.split or "validation", moving_of(loaded.spec)
        if part == "whole":
            raise UsageError("--split whole: scenes are made part by part: train, validation or test would work")
        found = load_moving(own if measure.data is None else replace(own, source=measure.data), (part,))
        batch = found.parts[part]
        boxes, pointing = said(loaded, batch)
        stay = batch.boxes[:, :1].expand_as(batch.boxes)
        rows: dict[str, Record] = {
            "tracker": {**followed(boxes, batch), **pointing, "scenes": len(batch.pixels)},
            "where they began": {**followed(stay, batch), "scenes": len(batch.pixels)},
        }
        where = part if measure.data is None else f"{part} of {measure.data}"
        protocol = f"{part} of {found.name} ({found.split}): {len(batch.pixels):,} scenes of {own.frames} frames; first boxes given"
        return Evaluation(where, protocol, rows)

    def predict(self, run: Path, words: Sequence[str]) -> Iterator[Followed]:
        """The boxes of each scene."""
        loaded = load_pictures(run, build_tracker)
        return (Followed(loaded, read(loaded, word)) for word in words)

    def explain(self, run: Path, word: str, view: View) -> Explanation:
        """The boxes of a scene, and where each item was looked for in each frame."""
        answer = next(self.predict(run, [word]))
        output = answer.output(trace=True)
        record, side, film = answer.told(output), answer.loaded.model.side, answer.film
        sections = []
        for number, each in enumerate(record["items"]):
            maps = [photograph(film.pixels[0], "frame 1", None, "Given;", (box(tuple(each["boxes"][0]), each["label"]),))]
            each["looked"] = []
            for frame, trace in enumerate(output.traces, start=1):
                look = trace.weights[0].float().cpu().mean(0)[number].view(side, side)
                row, column = divmod(int(look.argmax()), side)
                each["looked"].append([round((column + 0.5) / side, 4), round((row + 0.5) / side, 4)])
                outline = box(tuple(each["boxes"][frame]), each["label"])
                maps.append(photograph(film.pixels[frame], trace.name, look, "Where it was looked for;", (outline,)))
            sections.append(Section(each["label"], "", [gallery(maps)], f"item-{number + 1}"))
        return Explanation(record, page("What was followed", CAUTION, sections, f"{answer.loaded.run.path}"))


def tracking(spec: RunModel) -> TrackerSpec:
    """The spec, if it is a tracker's."""
    if not isinstance(spec, TrackerSpec):
        raise UsageError(f"model.kind is {spec.kind}: tracker follows boxes")
    return spec


def build_tracker(spec: RunModel) -> Tracker:
    """The tracker of a spec."""
    return Tracker(tracking(spec))


def moving_of(spec: RunSpec) -> MovingDataSpec:
    """The data, if it is moving scenes; `SpecError` if it is of another kind."""
    if not isinstance(spec.data, MovingDataSpec):
        raise SpecError("data.kind", f"wants moving for a model of kind {spec.model.kind}, found {spec.data.kind}")
    return spec.data


def cost_of(model: Tracker, batch: MovingBatch) -> ModelCost:
    """Parameters and operations of one scene."""
    was = model.training
    counts = torch.tensor([batch.boxes.shape[2]])
    cost = summarise(model.eval(), [numbers(batch.pixels[:1]), batch.boxes[:1, 0], counts], attention=(MultiHeadAttention,))
    model.train(was)
    return cost


def announce(job: Job, found: MovingSet, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    sizes = ", ".join(f"{part} {len(batch.pixels):,}" for part, batch in found.parts.items())
    console.print(layers_table(cost))
    for line in (
        f"{job.spec.model.kind}: {cost.line()}",
        f"{short(cost.operations)} operations a scene read, about three times that a scene trained",
        f"{found.name}: {sizes} of {found.parts['train'].pixels.shape[1]} frames; {found.split}",
    ):
        console.print(line, highlight=False, soft_wrap=True)


@torch.inference_mode()
def said(loaded: LoadedPictures[Tracker], batch: MovingBatch) -> tuple[Float[Tensor, "b f n 4"], Record]:
    """The boxes of every scene, and the pointing test, a batch at a time and then the mean."""
    boxes, pointing = list[Tensor](), list[tuple[int, Record]]()
    for some in every(batch, loaded.spec.train.eval_batch):
        counts = (some.labels >= 0).sum(1)
        x, first = numbers(some.pixels.to(loaded.device)), some.boxes[:, 0].to(loaded.device)
        output: TrackerOutput = loaded.model(x, first, counts.to(loaded.device), trace=True)
        boxes.append(output.boxes.cpu())
        pointing.append((int(counts.sum()), pointed(output.traces, some, loaded.model.side)))
    items = sum(count for count, _ in pointing)
    return torch.cat(boxes), {name: sum(count * row[name] for count, row in pointing) / items for name in pointing[0][1]}


def read(loaded: LoadedPictures[Tracker], word: str) -> Film:
    """The scene that a word names: `test:3` of the run's own, or a JSON file of frames and first boxes.

    Raises `UsageError` where nothing is named or no such scene is there, `DataError` for a file of another form.
    """
    match = OWN.fullmatch(word)
    if match and not Path(word).exists():
        part, number = match[1], int(match[2])
        batch = load_moving(moving_of(loaded.spec), (part,)).parts[part]
        if number >= len(batch.pixels):
            raise UsageError(
                f"{word}: the {part} part has {len(batch.pixels):,} scenes: {part}:0 to {part}:{len(batch.pixels) - 1} would work"
            )
        kinds = [kind for kind in batch.labels[number].tolist() if kind >= 0]
        labels = tuple(loaded.model.labels[kind] for kind in kinds)
        return Film(word, batch.pixels[number], batch.boxes[number, 0, : len(kinds)], labels)
    if not word.endswith(".json"):
        raise UsageError(
            f"{word or 'nothing'}: a tracker follows boxes that are given: {PARTS[2]}:0, or a file.json of {WANTED}, would work"
        )
    return from_file(loaded, Path(word).expanduser())


def from_file(loaded: LoadedPictures[Tracker], path: Path) -> Film:
    """Frames and first boxes that a file names; the frames' paths begin at its folder."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        frames = [path.parent / str(name) for name in found["frames"]]
        boxes = torch.tensor(found["boxes"], dtype=torch.float32)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not frames and boxes ({' '.join(str(error).split())}): {WANTED} would work") from None
    if len(frames) < 2 or boxes.dim() != 2 or not len(boxes) or boxes.shape[1] != 4 or bool(((boxes < 0) | (boxes > 1)).any()):
        raise DataError(f"{path}: two frames or more, and boxes of x, y, width and height as shares of the sides, would work: {WANTED}")
    model = loaded.model
    pixels = [channelled(decoded(each, str(each), model.size)[None], model.channels)[0] for each in frames]
    return Film(str(path), torch.stack(pixels), boxes, tuple(f"item {i + 1}" for i in range(len(boxes))))
