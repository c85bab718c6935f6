"""`heedful adapt --method budget`: one model that works under many budgets of heads, and the plan of each."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import nn

from heedful import atomic
from heedful.data.tokens import tokenizer_state
from heedful.errors import Unsupported, UsageError
from heedful.manage.hashes import batches_hashes
from heedful.manage.watch import sites
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.models.decoder import Decoder
from heedful.tasks.adapted import VERSION, Adapting, Source, check_room, source_of, under
from heedful.train.adapt.budget_gates import BudgetGates, across_budgets
from heedful.train.adapt.distil import distilling
from heedful.train.adapt.export import exported
from heedful.train.adapt.learn import Learnt, learn, nats, teacher_of
from heedful.train.compress.activity import moments, worths
from heedful.train.compress.compared import Lost, lost
from heedful.train.compress.layer import layers_of
from heedful.train.progress import Bar
from heedful.train.run import Run


@dataclass(frozen=True, eq=False)
class Budgeted:
    """For each budget what the heads that are worth most lose untrained, and what is lost after training; on the test text."""

    out: Path
    learnt: Learnt
    untrained: dict[float, Lost]
    trained: dict[float, Lost]

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        rows = {
            str(share): {"untrained": self.untrained[share].record(), "trained": self.trained[share].record()} for share in self.trained
        }
        return {"version": VERSION, "out": str(self.out), "step": self.learnt.step, "budgets": rows}


def budgeted(
    target: str,
    adapting: Adapting,
    budgets: Sequence[float],
    out: Path,
    data: str | None,
    length: int | None,
    overwrite: bool,
    distil: bool,
) -> Budgeted:
    """Train a run of ours under budgets drawn at random, and write it with a plan for each of `budgets`."""
    shares = sorted({*budgets}, reverse=True)
    if not shares or not all(0.0 < share <= 1.0 for share in shares):
        raise UsageError(
            f"--budgets are shares of the heads above 0 and at most 1, such as 0.75,0.5,0.25: found {', '.join(map(str, budgets))}"
        )
    check_room(out, overwrite, target)
    torch.manual_seed(adapting.seed)
    source, console = source_of(target, data, length, adapting.batch), Console(stderr=True)
    model = source.model
    if source.ours is None or not isinstance(model, Decoder):
        raise Unsupported(
            f"{target}: budgets are learnt by all of a model's weights, for runs of ours; `heedful plan` makes plans for other models"
        )
    dense, gates = teacher_of(model), BudgetGates(sites(model), worth_of(model, source))
    untrained = {share: measured(dense, model, gates, share, source) for share in shares}
    say(console, "by worth, untrained", untrained)
    aim = across_budgets(gates, distilling(dense) if distil else nats, min(shares), adapting.seed)
    parameters = [*gates.parameters(), *(each for each in model.parameters() if each.is_floating_point())]
    learnt = learn(
        model,
        parameters,
        lambda: source.batches(adapting.batch, adapting.seed),
        source.parts.select,
        adapting.lessons,
        aim=aim,
        report=Bar(console),
    )
    model.eval()
    trained = {share: measured(dense, model, gates, share, source) for share in shares}
    say(console, "trained", trained)
    found = Budgeted(out, learnt, untrained, trained)
    write(found, model, gates, source, overwrite)
    return found


def worth_of(model: nn.Module, source: Source) -> torch.Tensor:
    """What each head is worth, all layers one after the other."""
    layers = layers_of(model)
    seen = moments(model, [layer.out for layer in layers], source.parts.calibrate)
    found = worths(model, {layer.out: layer.d for layer in layers}, seen, source.parts.calibrate)
    return torch.cat([found[layer.out] for layer in layers])


def measured(dense: nn.Module, model: nn.Module, gates: BudgetGates, share: float, source: Source) -> Lost:
    """What is lost under the plan of a budget, beside the model before."""
    plan = exported(model, gates.choices(share), share, source.length)
    return lost(dense, model, source.parts.test, within=under(model, plan))


def say(console: Console, name: str, rows: dict[float, Lost]) -> None:
    """A line a budget."""
    for share, each in rows.items():
        console.print(f"{share:.0%} of the heads, {name}: {each.line()}", highlight=False, soft_wrap=True)


def write(found: Budgeted, model: Decoder, gates: BudgetGates, source: Source, overwrite: bool) -> None:
    """The run, the plan of each budget, and the figures."""
    assert source.ours is not None
    out = found.out
    for path in (*out.glob("budget-*.json"), out / "adaptation.json"):
        path.unlink(missing_ok=True)
    run = Run.create(out, source.ours.spec, source.ours.tokenizer, overwrite)
    notes = {"adapted": source.name}
    tokenizer = tokenizer_state(source.ours.tokenizer)
    save_checkpoint(run.best_path, Checkpoint(model.state_dict(), source.ours.spec, tokenizer, 0, notes))
    seen = batches_hashes([*source.parts.calibrate, *source.parts.select])
    for share, each in found.trained.items():
        plan = exported(model, gates.choices(share), share, source.length, max(0.0, each.mean), seen)
        replace(plan, notes=(*plan.notes, f"one model for all budgets: {out.name}")).save(out / f"budget-{share:g}.json")
    atomic.write(out / "adaptation.json", json.dumps(found.record(), indent=2) + "\n")
