"""Exits for classifiers: texts whose class is plain early leave there."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from rich.console import Console

from heedful import atomic
from heedful.cost.measure import Patience, minima
from heedful.data.tokens import tokenizer_state
from heedful.errors import HeedfulError, Unsupported
from heedful.manage.objective import Batch
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.models.encoder import Encoder
from heedful.tasks.adapted import BESIDE, Adapting
from heedful.tasks.classify.loading import load_classifier
from heedful.tasks.hurried import Hurried
from heedful.tasks.leaving import Asked
from heedful.tasks.opened import Opened, opened
from heedful.tasks.parts import Part
from heedful.train.adapt.exits import alike, at, kept, learning, measured, selected, with_exits
from heedful.train.adapt.learn import learn
from heedful.train.progress import Bar
from heedful.train.run import Run

BATCHES = 60  # of each part
PATIENCE = Patience(seconds=1.0, rounds=5)


def hurried_texts(
    target: str,
    adapting: Adapting,
    asked: Asked,
) -> Hurried:
    """Teach a classifier of ours exits on half of the calibration texts, choose their threshold on the selection texts, and write it."""
    found, console = opened(target, asked.data, asked.length, adapting.batch, BATCHES), Console(stderr=True)
    dense = found.model
    if not isinstance(dense, Encoder):
        raise Unsupported(f"{target}: exits are for transformers of ours")
    layers = len(dense.layers)
    if layers < 2:
        raise Unsupported(f"{target}: has {layers} layer: there is nothing to leave out")
    places = tuple(asked.layers) if asked.layers else tuple(range(1, layers))
    model = with_exits(dense, places)
    lessons, judged = halves(found.parts.calibrate)
    learnt = learn(model, learning(model), lambda: endless(lessons), judged, adapting.lessons, aim=alike, report=Bar(console))
    depths = (*places, layers)
    best = selected(measured(model, found.parts.select), asked.epsilon, depths, 0.0)
    if best is None:
        raise HeedfulError(
            f"no threshold loses less than {asked.epsilon:g} nats a text by its 95% bound: a larger --epsilon, or more --steps, would help"
        )
    final = kept(model, best.exits, best.calibrated.threshold)
    left = tuple(places[number] for number in best.exits)
    rows = [each.only(best.exits) for each in measured(model, found.parts.test)]
    test = at(rows, best.calibrated.threshold, (*left, layers))
    result = Hurried(asked.out, learnt, left, test, timed(dense, final, found), layers, "text")
    console.print(result.line(), highlight=False, soft_wrap=True)
    asked.refuse_slower("exits", result.milliseconds)
    write(result, final, Path(target).expanduser(), found.name, asked.overwrite)
    return result


def halves(part: Part) -> tuple[Part, Part]:
    """Every second text to learn from, the others to be judged by."""
    return replace(part, rows=part.rows[::2]), replace(part, rows=part.rows[1::2] or part.rows)


def endless(part: Part) -> Iterator[Batch]:
    """Its batches again and again."""
    return itertools.cycle(list(part))


@torch.inference_mode()
def timed(dense: Encoder, hurried: Encoder, found: Opened) -> tuple[float, float]:
    """Milliseconds a text, texts one by one, of both models in turns."""
    rows = [row for batch in itertools.islice(found.parts.test, 2) for row in singles(batch)]

    def each(model: Encoder) -> None:
        for row in rows:
            model(row["ids"], lengths=row["lengths"])

    before, now = minima([lambda: each(dense), lambda: each(hurried)], PATIENCE)
    return before / len(rows), now / len(rows)


def singles(batch: Batch) -> list[Batch]:
    """The texts of a batch, each without padding."""
    return [{"ids": ids[None, : int(length)], "lengths": length[None]} for ids, length in zip(batch["ids"], batch["lengths"], strict=True)]


def write(result: Hurried, final: Encoder, target: Path, name: str, overwrite: bool) -> None:
    """The run and its figures."""
    for beside in BESIDE:
        (result.out / beside).unlink(missing_ok=True)
    loaded = load_classifier(target)
    spec = replace(loaded.spec, model=final.spec)
    run = Run.create(result.out, spec, loaded.tokenizer, overwrite)
    save_checkpoint(run.best_path, Checkpoint(final.state_dict(), spec, tokenizer_state(loaded.tokenizer), 0, {"adapted": name}))
    atomic.write(result.out / "adaptation.json", json.dumps(result.record(), indent=2) + "\n")
