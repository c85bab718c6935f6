"""`heedful adapt --method dropping`: a classifier that goes on with the tokens that matter, as few as a bound on the loss allows."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from heedful import atomic
from heedful.data.tokens import tokenizer_state
from heedful.errors import HeedfulError, Unsupported
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.models.encoder import Encoder
from heedful.spec.dropping import DroppingSpec
from heedful.tasks.adapted import BESIDE, VERSION, check_room
from heedful.tasks.classify.loading import LoadedClassifier, load_classifier
from heedful.tasks.leaving import Asked
from heedful.tasks.opened import Opened, opened
from heedful.train.compress.compared import Lost, Saved, lost, saved
from heedful.train.run import Run

SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)  # of the tokens, each time some are dropped
BATCH, BATCHES = 16, 40


@dataclass(frozen=True, eq=False)
class Shortened:
    """What came of it: after which layers which share of the tokens goes on, what that loses on the test texts, what it saves."""

    out: Path
    dropping: DroppingSpec
    test: Lost
    saved: Saved

    def lines(self) -> list[str]:
        """In words."""
        where = ", ".join(map(str, self.dropping.after))
        return [f"{self.dropping.keep:.0%} of the tokens go on after layers {where}: {self.test.line()}", self.saved.line()]

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        how = {"after": list(self.dropping.after), "keep": self.dropping.keep}
        return {"version": VERSION, "out": str(self.out), **how, "lost": self.test.record(), "saved": self.saved.record()}


def shortened(target: str, asked: Asked) -> Shortened:
    """Choose how many tokens a classifier of ours goes on with, and write it if it is quicker then; nothing is trained.

    Shares are tried from the largest down, and the first whose bound exceeds epsilon ends it.
    """
    check_room(asked.out, asked.overwrite, target)
    found, console = opened(target, asked.data, asked.length, BATCH, BATCHES), Console(stderr=True)
    dense = found.model
    if not isinstance(dense, Encoder):
        raise Unsupported(f"{target}: tokens are dropped on their way through an encoder of ours that classifies texts")
    layers = len(dense.layers)
    if layers < 2:
        raise Unsupported(f"{target}: has {layers} layer: no layer would read fewer tokens")
    places = tuple(asked.layers) if asked.layers else tuple(sorted({max(1, layers // 4), max(1, layers // 2)}))
    best: Encoder | None = None
    for share in SHARES:
        small = dropping(dense, DroppingSpec(places, share))
        each = lost(dense, small, found.parts.select)
        console.print(f"{share:.0%} of the tokens go on: {each.line()}", highlight=False, soft_wrap=True)
        if each.bound.upper > asked.epsilon:
            break
        best = small
    if best is None or best.spec.dropping is None:
        raise HeedfulError(
            f"no share of the tokens loses less than {asked.epsilon:g} nats a text by its 95% bound: a larger --epsilon would help"
        )
    taken = saved(dense, best, next(iter(found.parts.test)))
    result = Shortened(asked.out, best.spec.dropping, lost(dense, best, found.parts.test), taken)
    for line in result.lines():
        console.print(line, highlight=False, soft_wrap=True)
    asked.refuse_slower("dropped tokens", result.saved.milliseconds)
    write(result, best, load_classifier(Path(target).expanduser()), found, asked.overwrite)
    return result


def dropping(dense: Encoder, spec: DroppingSpec) -> Encoder:
    """The same model, which drops tokens."""
    made = Encoder(replace(dense.spec, dropping=spec))
    made.load_state_dict(dense.state_dict())
    return made.to(next(dense.parameters()).device).eval()


def write(result: Shortened, best: Encoder, loaded: LoadedClassifier, found: Opened, overwrite: bool) -> None:
    """The run and its figures."""
    for name in BESIDE:
        (result.out / name).unlink(missing_ok=True)
    spec = replace(loaded.spec, model=best.spec)
    run = Run.create(result.out, spec, loaded.tokenizer, overwrite)
    notes = {"adapted": found.name}
    save_checkpoint(run.best_path, Checkpoint(best.state_dict(), spec, tokenizer_state(loaded.tokenizer), 0, notes))
    atomic.write(result.out / "adaptation.json", json.dumps(result.record(), indent=2) + "\n")
