"""The tour: text, two models, scores, samples, the catalogue, gates, maps, costs and a budget, and a report of it all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from heedful.cost.summary import short
from heedful.errors import UsageError
from heedful.explanations.page import Section, page, write
from heedful.explanations.parts.prose import Figure, figures
from heedful.tasks.tour.catalogue import catalogue
from heedful.tasks.tour.fitted import fitted
from heedful.tasks.tour.gates import gates
from heedful.tasks.tour.guide import Guide
from heedful.tasks.tour.heads import heads
from heedful.tasks.tour.plan import Plan
from heedful.tasks.tour.samples import samples
from heedful.tasks.tour.scored import Scored, scored, scores
from heedful.tasks.tour.spending import spending
from heedful.tasks.tour.trained import Trained, curves, train


def tour(plan: Plan, folder: Path, guide: Guide, further: Callable[[Path, Guide], Section] | None = None) -> Path:
    """Take the tour; everything it makes is kept under `folder`, and the report's path comes back.

    Arguments:
        further: one more stop, of a floor above this one, that finds in the folder what the others made.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: a file; the tour keeps its runs in a folder")
    started = time.perf_counter()
    models = trained(plan, folder, guide)
    guide.arrive("Against counting", "How well do they predict text they have never seen, beside counts of tokens and of triples?")
    found = scored(models, guide)
    guide.arrive("Writing", "Each continues the same words.")
    written = samples(models, plan, guide)
    guide.arrive("One sentence, every mechanism", "The same words under every score, mask, position, weighting and gate there is.")
    compared = catalogue(models[0], plan, guide)
    guide.arrive("Gates", "Squeeze-and-excitation, positional weighting, adaptive layers: each trained the same way, on and off.")
    switched = gates(plan, models[0].loaded.tokenizer, folder / "gates", guide)
    guide.arrive("Where the heads look, and what it took", "Maps of every head over a real passage, distances, and operations counted.")
    looked = heads(models[0], plan, guide)
    spent = spending(models[0], guide)
    guide.arrive("Half of its attention", "Each head is given what it needs, half of the operations in all, and the loss is bounded.")
    halved = fitted(models[0], plan, folder / "fitted", guide)
    last = [] if further is None else [further(folder, guide)]
    minutes = (time.perf_counter() - started) / 60
    sections = [
        summary(models, found, minutes),
        curves(models, found.validation),
        scores(models, found),
        written,
        *looked,
        spent,
        compared,
        switched,
        halved,
        *last,
    ]
    return write(folder / "report.html", page("A tour of attention", LEAD, sections, FOOT))


LEAD = (
    "A small transformer and a small recurrent network, both with attention, trained in minutes on the Python language reference "
    "that every Python carries: what they learnt, where they look, what attention cost, and half of it."
)
FOOT = "Made by heedful demo; every command on this page repeats what stands above it."


def trained(plan: Plan, folder: Path, guide: Guide) -> tuple[Trained, ...]:
    """Both models."""
    guide.arrive("A transformer", "It reads the Python language reference in pieces of words and learns which piece comes next.")
    transformer = train(plan.transformer, folder / "transformer", guide)
    guide.arrive("A recurrent network with attention", "An LSTM that looks back over its own past states; briefly.")
    return transformer, train(plan.recurrent, folder / "recurrent", guide)


def summary(models: Sequence[Trained], found: Scored, minutes: float) -> Section:
    """The tour at a glance."""
    first, bits = models[0], {name: row["bits_per_character"] for name, row in found.rows.items()}
    shown = figures(
        [
            Figure(
                f"{bits[first.kind]:.2f}", f"bits per character; counted trigrams: {bits['trigram']:.2f}, unigrams: {bits['unigram']:.2f}"
            ),
            Figure(short(first.cost.parameters), f"parameters, trained in {first.seconds:.0f} s"),
            Figure(
                f"{100 * first.cost.share:.0f} %", f"of its operations are scores and weighted sums, at {first.loaded.model.context} tokens"
            ),
            Figure(f"{minutes:.1f} min", "the whole tour on this machine"),
        ]
    )
    return Section("At a glance", "", [shown], "summary")
