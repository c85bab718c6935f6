"""From a spec to a job: pairs of texts as tokens of one tokenizer, and a model of as many tokens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console

from heedful.cost.summary import ModelCost, short, summarise
from heedful.data.pairs.batches import PairFeed
from heedful.data.pairs.pairs import PARTS, PairCorpus
from heedful.data.pairs.rows import PairRows, pair_rows
from heedful.data.pairs.sources import load_pairs
from heedful.data.tokens import Tokenizer, train_tokenizer
from heedful.errors import UsageError
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.checkpoint import fill
from heedful.models.seq2seq.build import build_seq2seq, translating
from heedful.spec.task import RunSpec
from heedful.tasks.training import layers_table
from heedful.tasks.translate.loading import load_seq2seq, pairs_of
from heedful.train.average import average
from heedful.train.budgeted.budgeted import told
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.metrics import perplexity
from heedful.train.objective import target_of
from heedful.train.run import Run


class Prepared(NamedTuple):
    """A job, and the pairs it was made of."""

    job: Job
    corpus: PairCorpus

    @property
    def learnt(self) -> PairRows:
        """The training pairs as tokens."""
        feed = self.job.feed
        assert isinstance(feed, PairFeed)
        return feed.train


def prepared(spec: RunSpec, tokenizer: Tokenizer | None = None) -> Prepared:
    """The pairs as tokens and a model of as many; `tokenizer` is the run's own where it goes on.

    Errors: those of data and specs, and `UsageError` for a model that does not read one text to write another.
    """
    asked, data = translating(spec.model), pairs_of(spec)
    corpus = load_pairs(data)
    begun = None if tokenizer or spec.train.start is None else load_seq2seq(Path(spec.train.start))
    known = begun.tokenizer if begun else tokenizer or tokenizer_of(spec, corpus)
    spec = replace(spec, model=replace(asked, vocabulary=fitting(spec, known)))
    parts = {part: pair_rows(corpus.part(part), known, spec.model.context) for part in ("train", "validation")}
    torch.manual_seed(spec.train.seed)
    model = build_seq2seq(spec.model)
    if begun is not None:
        fill(Path(spec.train.start or ""), model, begun.model.state_dict())
    return Prepared(Job(model, spec, known, objective=target_of(spec.train.smoothing), feed=PairFeed(**parts)), corpus)


def tokenizer_of(spec: RunSpec, corpus: PairCorpus) -> Tokenizer:
    """A tokenizer of both sides of the training pairs together; one of characters knows those of all parts, a space among them."""
    data = pairs_of(spec)
    texts = ["\n".join([" ", *corpus.part(part).sources, *corpus.part(part).targets]) for part in PARTS]
    spaced = ["\n".join(f" {line.strip()}" for line in text.split("\n")) for text in texts]
    return train_tokenizer(data.tokenizer, spaced, data.vocabulary)


def fitting(spec: RunSpec, tokenizer: Tokenizer) -> int:
    """The tokenizer's size, which the model's must be."""
    wanted = spec.model.vocabulary
    if wanted not in (0, tokenizer.size):
        raise UsageError(
            f"model.vocabulary is {wanted}, and the {tokenizer.kind} tokenizer of {spec.data.source} has {tokenizer.size} tokens: "
            f"0 (as many as there are) would work, and data.vocabulary bounds word and bpe"
        )
    return tokenizer.size


def cost_of(job: Job) -> ModelCost:
    """Parameters and operations of one source and one target as long as the context."""
    row = torch.zeros(1, job.spec.model.context, dtype=torch.long)
    return summarise(job.model, [row, torch.tensor([row.shape[1]]), row], attention=(MultiHeadAttention,))


def announce(found: Prepared, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    spec, rows = found.job.spec, found.learnt
    sizes = ", ".join(f"{part} {len(found.corpus.part(part)):,}" for part in PARTS if len(found.corpus.part(part)))
    means = [f"{float(side.lengths.double().mean()):,.1f}" for side in (rows.source, rows.target)]
    console.print(layers_table(cost))
    for line in (
        f"{spec.model.kind}: {cost.line()}",
        f"{short(cost.operations / spec.model.context)} operations a token of each side, about three times that to learn",
        f"{found.corpus.name}: {sizes} pairs; {found.corpus.split}",
        f"{found.job.tokenizer.kind} tokens of {found.job.tokenizer.size:,} kinds, {means[0]} a source and {means[1]} a target on average; "
        f"{rows.cut:,} of {2 * len(rows):,} texts are longer than {spec.model.context - 1} and cut",
        told(found.job.model, spec.train, spec.model.context),
    ):
        if line:
            console.print(line, highlight=False, soft_wrap=True)


def fit(trainer: Trainer, run: Run, console: Console) -> None:
    """Train, average what was kept, and say what came of it and what can be done with it."""
    found = trainer.fit()
    mixed = average(trainer)
    if not trainer.main:
        return
    at = trainer.standing
    why = ", no better for a while" if found.stalled else ""
    best = f"best validation loss {at.best:.4f} nats a token (perplexity {perplexity(at.best):.2f}) at step {at.best_step:,}"
    for line in (
        f"{found.steps:,} steps in {found.seconds:,.0f} s{why}",
        mixed,
        best,
        f"saved in {run.path}: heedful evaluate {run.path} --split test; heedful predict {run.path} 'TEXT'",
    ):
        if line:
            console.print(line, highlight=False, soft_wrap=True)
