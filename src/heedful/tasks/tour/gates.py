"""Gates on and off: what each changes, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from heedful import atomic
from heedful.cost.summary import short
from heedful.data.tokens import Tokenizer
from heedful.explanations.page import Section
from heedful.explanations.parts.bars import Bar, bars
from heedful.explanations.parts.prose import command, paragraph
from heedful.explanations.parts.table import table
from heedful.spec import yaml
from heedful.tasks.tour.gated import Gated, gated, quickest, with_gate
from heedful.tasks.tour.guide import Guide
from heedful.tasks.tour.plan import Plan


def gates(plan: Plan, tokenizer: Tokenizer, folder: Path, guide: Guide) -> Section:
    """Every gate of the plan, and none, through the same short training."""
    found = []
    for name in (None, *plan.gates):
        one = gated(name, plan, tokenizer)
        found.append(one)
        guide.say(f"{one.name:<22} validation loss {one.loss:.3f}{difference(one, found[0])}, {short(one.cost.operations)} operations")
        atomic.write(folder / f"{one.name}.yaml", yaml.dump(with_gate(plan.gated, name, plan.seeds[0])))
    times = quickest(found, plan.timed)
    guide.say("quickest training step: " + ", ".join(f"{one.name} {taken:.1f} ms" for one, taken in zip(found, times, strict=True)))
    return report(found, times, plan, folder)


def difference(one: Gated, none: Gated) -> str:
    """Against no gate, where it is one."""
    return "" if one is none else f" ({one.loss - none.loss:+.3f})"


def report(found: Sequence[Gated], times: Sequence[float], plan: Plan, folder: Path) -> Section:
    """The tables, with what they can tell and what they cannot."""
    base = plan.gated
    lead = (
        f"A small transformer ({base.model.context} tokens of context) trained {base.train.steps} steps with each gate and without one, "
        f"with {len(plan.seeds)} seeds, and measured on the whole validation text. “{plan.sentence}” is the sentence of the last columns."
    )
    noise = max(one.spread for one in found)
    told = f"Two seeds of the same model differ by up to {noise:.3f}: a smaller difference says nothing."
    caution = paragraph(f"{told} The commands repeat the first seed.")
    again = [command(f"heedful train generate --config {folder}/{one.name}.yaml --out runs/{one.name}") for one in found]
    adaptive = [bars([Bar(f"layer {i}", a) for i, a in enumerate(one.spent, 1)], SPENT, full=1) for one in found if one.spent]
    return Section("Gates, on and off", lead, [losses(found, plan), caution, costs(found, times), *adaptive, *again], "gates")


SPENT = "What each layer of the adaptive model spends: the mean of a, between 0 and 1"


def losses(found: Sequence[Gated], plan: Plan) -> str:
    """What each gate changes."""
    head = ["gate", "validation loss", "against none", "between seeds", "switched off after training", "the sentence, on", "off"]
    cells = [
        [
            one.name,
            f"{one.loss:.3f}",
            "" if one is found[0] else f"{one.loss - found[0].loss:+.3f}",
            f"{one.spread:.3f}",
            "" if one is found[0] else f"{sum(one.off) / len(one.off):.3f}",
            f"{one.sentence[0]:.3f}",
            "" if one is found[0] else f"{one.sentence[1]:.3f}",
        ]
        for one in found
    ]
    return table(head, cells, "Nats a token; lower is better")


def costs(found: Sequence[Gated], times: Sequence[float]) -> str:
    """What each gate costs."""
    head = ["gate", "parameters", "operations", "more", "quickest training step (ms)", "more"]
    cells = [
        [
            one.name,
            one.cost.parameters,
            one.cost.operations,
            more(one.cost.operations, found[0].cost.operations),
            f"{taken:.1f}",
            more(taken, times[0]),
        ]
        for one, taken in zip(found, times, strict=True)
    ]
    return table(head, cells, "What each costs")


def more(value: float, base: float) -> str:
    """How much more than the base, in per cent."""
    return "" if value == base else f"{100 * (value / base - 1):+.1f} %"
