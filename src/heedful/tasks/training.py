"""From a spec to a trained run: data and model first, the folder only once they fit."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from rich.console import Console
from rich.table import Table

from heedful.cost.summary import ModelCost, short, summarise
from heedful.data.sources import load_corpus
from heedful.data.text import tokenise
from heedful.data.tokens import Tokenizer
from heedful.errors import UsageError
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.build import build, speaking
from heedful.models.checkpoint import fill
from heedful.spec.data import DataSpec
from heedful.spec.model import DecoderSpec
from heedful.spec.task import RunSpec
from heedful.tasks.loading import load
from heedful.train.budgeted.budgeted import told
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.metrics import perplexity
from heedful.train.run import Run

STACK: Final = re.compile(r"layers\.\d+")
LATER: Final = re.compile(r"layers\.(?!0\b)\d+")


def prepared(spec: RunSpec, tokenizer: Tokenizer | None = None) -> Job:
    """The text as tokens and a model of as many; `tokenizer` is the run's own where it goes on.

    Errors: those of data and specs, and `UsageError` for a model and a way of training that do not go together.
    """
    if isinstance(spec.model, DecoderSpec) and spec.model.memory and spec.train.order != "stream":
        raise UsageError(
            f"model.memory is carried along by train.order stream, and it is {spec.train.order}: stream, or model.memory=0, would work"
        )
    asked = speaking(spec.model)
    refuse_columns(spec.texts)
    begun = None if tokenizer or spec.train.start is None else load(Path(spec.train.start))
    found = tokenise(load_corpus(spec.texts), spec.texts, begun.tokenizer if begun else tokenizer)
    spec = replace(spec, model=replace(asked, vocabulary=fitting(spec, found.tokenizer)))
    torch.manual_seed(spec.train.seed)
    model = build(spec.model)
    if begun is not None:
        fill(Path(spec.train.start or ""), model, begun.model.state_dict())
    return Job(model, spec, found.tokenizer, found.ids)


def refuse_columns(spec: DataSpec) -> None:
    """Refuse what is said of tables of texts where one text is read as it stands."""
    usual = vars(DataSpec(spec.source))
    for name in ("text", "label", "lowercase", "keep", "folds", "share", "weights", "noise", "vectors"):
        if vars(spec)[name] != usual[name]:
            raise UsageError(
                f"data.{name} is for texts with classes (heedful train classify), and a text that goes on is read as it stands"
            )


def fitting(spec: RunSpec, tokenizer: Tokenizer) -> int:
    """The tokenizer's size, which the model's must be."""
    wanted = spec.model.vocabulary
    if wanted not in (0, tokenizer.size):
        raise UsageError(
            f"model.vocabulary is {wanted}, and the {tokenizer.kind} tokenizer of {spec.texts.source} has {tokenizer.size} tokens: "
            f"0 (as many as there are) would work, and data.vocabulary bounds word and bpe"
        )
    return tokenizer.size


def announce(job: Job, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    spec = job.spec
    per_token = short(cost.operations / spec.model.context)
    sizes = ", ".join(f"{part} {len(ids):,}" for part, ids in job.ids.items() if len(ids))
    console.print(layers_table(cost))
    for line in (
        f"{spec.model.kind}: {cost.line()}",
        f"{per_token} operations a token read, about three times that a token trained, at context {spec.model.context}",
        f"{spec.texts.source}: {job.tokenizer.kind} tokens of {job.tokenizer.size:,} kinds: {sizes}",
        told(job.model, spec.train, spec.model.context),
    ):
        if line:
            console.print(line, highlight=False, soft_wrap=True)


def layers_table(cost: ModelCost) -> Table:
    """The parts of a model; of equal layers the first stands for all."""
    table = Table(pad_edge=False, box=None)
    for title in ("part", "class"):
        table.add_column(title, no_wrap=True)
    for title in ("parameters", "operations", "attention"):
        table.add_column(title, justify="right", no_wrap=True)
    alike = sum(STACK.fullmatch(layer.name) is not None for layer in cost.layers)
    for layer in cost.layers:
        steps = STACK.sub("layer", layer.name).split(".") if layer.name else []
        if len(steps) > 2 or LATER.match(layer.name) or not (layer.parameters or layer.operations):
            continue
        name = (f"{alike} layers, each" if alike > 1 else "1 layer") if STACK.fullmatch(layer.name) else steps[-1] if steps else "the model"
        share = f"{layer.core / layer.operations:.1%}" if layer.core else ""
        table.add_row("  " * len(steps) + name, layer.kind, short(layer.parameters), short(layer.operations), share)
    return table


def cost_of(job: Job) -> ModelCost:
    """Parameters and operations of one row of a context."""
    row = torch.zeros(1, job.spec.model.context, dtype=torch.long)
    return summarise(job.model, [row], attention=(MultiHeadAttention,))


def fit(trainer: Trainer, run: Run, console: Console) -> None:
    """Train, and say what came of it and what can be done with it."""
    found = trainer.fit()
    if not trainer.main:
        return
    why = ", no better for a while" if found.stalled else ""
    best = f"best validation loss {found.best:.4f} nats (perplexity {perplexity(found.best):.2f}) at step {found.best_step:,}"
    console.print(f"{found.steps:,} steps in {found.seconds:,.0f} s{why}: {best}", highlight=False, soft_wrap=True)
    console.print(f"saved in {run.path}: heedful evaluate {run.path}; heedful predict {run.path} 'TEXT'", highlight=False, soft_wrap=True)


def discard(run: Run) -> None:
    """Take back a folder in which nothing was trained."""
    for path in (run.spec_path, run.tokenizer_path):
        path.unlink(missing_ok=True)
    shutil.rmtree(run.log_path, ignore_errors=True)
    with suppress(OSError):
        run.path.rmdir()
