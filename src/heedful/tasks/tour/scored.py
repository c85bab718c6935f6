"""The models against what counting alone achieves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from heedful.cost.summary import short
from heedful.explanations.page import Section
from heedful.explanations.parts.prose import command, paragraph
from heedful.explanations.parts.table import table
from heedful.tasks.evaluation import evaluate, record
from heedful.tasks.task import Evaluation, Measure, Part, Record
from heedful.tasks.tour.guide import Guide
from heedful.tasks.tour.trained import Trained

COUNTED: Final = ("trigram", "unigram")


@dataclass(frozen=True)
class Scored:
    """Every model's scores by its name on the test text, and how they were measured; the baselines' loss on validation."""

    rows: dict[str, Record]
    protocol: str
    validation: dict[str, float]


def scored(models: Sequence[Trained], guide: Guide) -> Scored:
    """Measure everything on text that nothing was trained or chosen on."""
    found = [measured(model, "test") for model in models]
    before = measured(models[0], "validation")
    rows = {model.kind: part.rows[model.kind] for model, part in zip(models, found, strict=True)}
    rows |= {name: found[0].rows[name] for name in COUNTED}
    for name, row in rows.items():
        guide.say(f"{name:<12} {row['bits_per_character']:.3f} bits per character, perplexity {row['perplexity']:.1f}")
    return Scored(rows, found[0].protocol, {name: before.rows[name]["loss"] for name in COUNTED})


def measured(model: Trained, part: Part) -> Evaluation:
    """One model (and the baselines) on one part of its text, kept in the run's metrics.json."""
    found = evaluate(model.loaded, Measure(split=part, baselines=True))
    record(model.loaded.run, found)
    return found


def scores(models: Sequence[Trained], found: Scored) -> Section:
    """The table."""
    by_kind = {model.kind: model for model in models}
    head = ["model", "bits per character", "perplexity", "next token right", "parameters", "trained (s)"]
    cells = [
        [
            name,
            f"{row['bits_per_character']:.3f}",
            f"{row['perplexity']:.2f}",
            None if row["accuracy"] is None else f"{100 * row['accuracy']:.1f} %",
            short(by_kind[name].cost.parameters) if name in by_kind else "counts",
            f"{by_kind[name].seconds:.0f}" if name in by_kind else None,
        ]
        for name, row in found.rows.items()
    ]
    shown = table(head, cells, "On the test text")
    how = paragraph(f"Measured on the {found.protocol}.")
    again = command(f"heedful evaluate {models[0].folder} --split test --baselines")
    lead = "Bits per character compare across tokenizers and papers; perplexity is per token. Both: lower is better."
    return Section("How well it predicts", lead, [shown, how, again], "scores")
