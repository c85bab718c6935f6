"""`heedful adapt --method exits`: a run that stops reading easy tokens early, within a bound on what that loses."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from heedful import atomic
from heedful.data.tokens import tokenizer_state
from heedful.errors import HeedfulError, Unsupported
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.models.decoder import Decoder
from heedful.models.pretrained import is_pretrained
from heedful.spec.classifier import ClassifierSpec
from heedful.tasks.adapted import BESIDE, VERSION, Adapting, Source, check_room, source_of
from heedful.tasks.leaving import Asked
from heedful.train.adapt.exits import (
    Calibrated,
    Measured,
    Selected,
    alike,
    at,
    calibrated,
    check_cost,
    kept,
    learning,
    measured,
    selected,
    with_exits,
)
from heedful.train.adapt.learn import Learnt, learn
from heedful.train.progress import Bar
from heedful.train.run import Run

STEPS, ROUNDS = 48, 3  # tokens of a timed generation, and how often each model makes them in turn


@dataclass(frozen=True, eq=False)
class Hurried:
    """What came of it: the threshold chosen, what it loses on the test text, and milliseconds a token without and with exits."""

    out: Path
    learnt: Learnt
    after: tuple[int, ...]
    test: Calibrated
    milliseconds: tuple[float, float]
    layers: int
    unit: str = "token"

    def line(self) -> str:
        """In words."""
        before, now = self.milliseconds
        bound = self.test.bound
        return (
            f"threshold {self.test.threshold:g} after layers {', '.join(map(str, self.after))}: {self.test.layers:.2f} of {self.layers} "
            f"layers a {self.unit}, {bound.mean:+.4f} nats (95% {bound.upper:+.4f}), {before:.3f} -> {now:.3f} ms ({before / now:.2f}x)"
        )

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        bound = self.test.bound
        found = {"threshold": self.test.threshold, "after": list(self.after), "layers": self.test.layers, "of": self.layers}
        lost = {"difference": bound.mean, "bound": bound.upper, "sequences": bound.blocks}
        return {"version": VERSION, "out": str(self.out), **found, **lost, "milliseconds": list(self.milliseconds)}


def hurried(
    target: str,
    adapting: Adapting,
    asked: Asked,
) -> Hurried:
    """Teach a run of ours exits, choose their threshold on the selection text, and write it if it is quicker then."""
    check_room(asked.out, asked.overwrite, target)
    torch.manual_seed(adapting.seed)
    if classifies(Path(target).expanduser()):
        from heedful.tasks.hurried_texts import hurried_texts

        return hurried_texts(target, adapting, asked)
    source, console = source_of(target, asked.data, asked.length, adapting.batch), Console(stderr=True)
    if source.ours is None or not isinstance(source.model, Decoder):
        raise Unsupported(f"{target}: exits are for transformers of ours that generate")
    layers = len(source.model.layers)
    if layers < 2:
        raise Unsupported(f"{target}: has {layers} layer: there is nothing to leave out")
    places = tuple(asked.layers) if asked.layers else tuple(sorted({max(1, layers * quarter // 4) for quarter in (1, 2, 3)} - {layers}))
    model = with_exits(source.model, places)
    learnt = learn(
        model,
        learning(model),
        lambda: source.batches(adapting.batch, adapting.seed),
        source.parts.select,
        adapting.lessons,
        aim=alike,
        report=Bar(console),
    )
    depths, seen = (*places, layers), measured(model, source.parts.calibrate)
    check = 0.0 if asked.layers else check_cost(model, source.length // 2)
    best = chosen(seen, asked.epsilon, depths, check, bool(asked.layers))
    final = kept(model, best.exits, best.calibrated.threshold)
    left = tuple(places[number] for number in best.exits)
    rows = [each.only(best.exits) for each in measured(model, source.parts.test)]
    test = at(rows, best.calibrated.threshold, (*left, layers))
    found = Hurried(asked.out, learnt, left, test, timed(source.model, final, source), layers)
    console.print(found.line(), highlight=False, soft_wrap=True)
    asked.refuse_slower("exits", found.milliseconds)
    write(found, final, source, asked.overwrite)
    return found


def classifies(path: Path) -> bool:
    """Whether a path is a run of ours that classifies."""
    return path.is_dir() and not is_pretrained(path) and isinstance(Run.open(path).spec.model, ClassifierSpec)


def chosen(seen: Sequence[Measured], epsilon: float, depths: Sequence[int], check: float, given: bool) -> Selected:
    """The exits and the threshold; those that were asked for all stay."""
    if given:
        best = calibrated(seen, epsilon, depths)
        found = None if best is None else Selected(tuple(range(len(depths) - 1)), best, best.layers)
    else:
        found = selected(seen, epsilon, depths, check)
    if found is None:
        raise HeedfulError(
            f"no threshold loses less than {epsilon:g} nats a token by its 95% bound: a larger --epsilon, or more --steps, would help"
        )
    if not given and found.cost >= depths[-1]:
        saved = f"{found.calibrated.layers:.2f} of {depths[-1]} layers a token, and its checks cost {check:.2f} layers each"
        raise HeedfulError(
            f"within {epsilon:g} nats exits save nothing here: {saved}; a larger --epsilon, more --steps, or --after for exits all the same"
        )
    return found


@torch.inference_mode()
def timed(dense: Decoder, hurried: Decoder, source: Source) -> tuple[float, float]:
    """Milliseconds a token of reading on from half a test sequence, token by token, in turns; the least of some rounds."""
    ids = next(iter(source.parts.test))["input_ids"][:1]
    start = max(1, ids.shape[1] // 2)
    end = min(ids.shape[1], start + STEPS)
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for number, model in enumerate((dense, hurried)):
            cache = model.new_cache()
            model(ids[:, :start], cache=cache)
            began = time.perf_counter()
            for place in range(start, end):
                model(ids[:, place : place + 1], cache=cache)
            best[number] = min(best[number], 1000 * (time.perf_counter() - began) / max(1, end - start))
    return best[0], best[1]


def write(found: Hurried, final: Decoder, source: Source, overwrite: bool) -> None:
    """The run and its figures."""
    assert source.ours is not None
    for name in BESIDE:
        (found.out / name).unlink(missing_ok=True)
    spec = replace(source.ours.spec, model=final.spec)
    run = Run.create(found.out, spec, source.ours.tokenizer, overwrite)
    tokenizer = tokenizer_state(source.ours.tokenizer)
    save_checkpoint(run.best_path, Checkpoint(final.state_dict(), spec, tokenizer, 0, {"adapted": source.name}))
    atomic.write(found.out / "adaptation.json", json.dumps(found.record(), indent=2) + "\n")
