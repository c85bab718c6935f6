"""From a spec to a job: labelled texts as tokens, and a classifier of as many tokens and classes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console

from heedful.cost.summary import ModelCost, short, summarise
from heedful.data.labelled.feed import TextFeed
from heedful.data.labelled.rows import Rows, rows_of
from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.texts import PARTS, LabelledCorpus, balance
from heedful.data.tokens import Tokenizer, train_tokenizer
from heedful.errors import UsageError
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.checkpoint import fill
from heedful.models.classifiers import build_classifier, classifying
from heedful.spec.classifier import ClassifierSpec
from heedful.spec.task import RunSpec
from heedful.tasks.classify.loading import load_classifier
from heedful.tasks.training import fitting, layers_table
from heedful.train.budgeted.budgeted import told
from heedful.train.job import Job
from heedful.train.objective import class_of


class Prepared(NamedTuple):
    """A job, and the texts it was made of."""

    job: Job
    corpus: LabelledCorpus

    def rows(self, part: str) -> Rows:
        """The training or the validation texts as tokens."""
        feed = self.job.feed
        assert isinstance(feed, TextFeed)
        return {"train": feed.train, "validation": feed.validation}[part]


def prepared(spec: RunSpec, tokenizer: Tokenizer | None = None) -> Prepared:
    """The texts as tokens and a model for their classes; `tokenizer` is the run's own where it goes on.

    Errors: those of data and specs, and `UsageError` for a model that does not classify, or that has other classes than the texts.
    """
    asked = classifying(spec.model)
    corpus = load_labelled(spec.texts)
    begun = None if tokenizer or spec.train.start is None else load_classifier(Path(spec.train.start))
    known = begun.tokenizer if begun else tokenizer or tokenizer_of(spec, corpus)
    model = replace(asked, vocabulary=fitting(spec, known), labels=classes(asked, corpus))
    spec = replace(spec, model=model)
    parts = {part: rows_of(corpus.part(part), model.labels, known, model.context, spec.texts.keep) for part in ("train", "validation")}
    torch.manual_seed(spec.train.seed)
    built = build_classifier(model)
    if begun is not None:
        fill(Path(spec.train.start or ""), built, begun.model.state_dict())
    return Prepared(Job(built, spec, known, objective=class_of, feed=TextFeed(**parts), judge="errors"), corpus)


def tokenizer_of(spec: RunSpec, corpus: LabelledCorpus) -> Tokenizer:
    """A tokenizer of the training texts; one of characters knows those of all parts."""
    return train_tokenizer(spec.texts.tokenizer, ["\n".join(corpus.part(part).texts) for part in PARTS], spec.texts.vocabulary)


def classes(spec: ClassifierSpec, corpus: LabelledCorpus) -> tuple[str, ...]:
    """The classes of the texts, which the model's must be."""
    wanted = spec.labels
    if wanted and set(wanted) != set(corpus.labels):
        raise UsageError(
            f"model.labels are {', '.join(wanted)}, and the texts of {corpus.name} have {', '.join(corpus.labels)}: "
            "none (those of the data) would work"
        )
    return wanted or corpus.labels


def cost_of(job: Job) -> ModelCost:
    """Parameters and operations of one text as long as the context."""
    return summarise(job.model, [torch.zeros(1, job.spec.model.context, dtype=torch.long)], attention=(MultiHeadAttention,))


def announce(found: Prepared, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    spec, train = found.job.spec, found.rows("train")
    sizes = ", ".join(f"{part} {len(found.corpus.part(part)):,}" for part in PARTS if len(found.corpus.part(part)))
    mean = float(train.lengths.double().mean())
    console.print(layers_table(cost))
    for line in (
        f"{spec.model.kind}: {cost.line()}",
        f"{short(cost.operations / spec.model.context)} operations a token read, about three times that a token trained",
        f"{found.corpus.name}: {sizes} texts; {balance(found.corpus.part('train'))}; {found.corpus.split}",
        f"{found.job.tokenizer.kind} tokens of {found.job.tokenizer.size:,} kinds, {mean:,.0f} a text on average; "
        f"{train.cut:,} of {len(train):,} texts are longer than {spec.model.context} and read by {HOW[spec.texts.keep]}",
        told(found.job.model, spec.train, spec.model.context),
    ):
        if line:
            console.print(line, highlight=False, soft_wrap=True)


HOW = {"head": "their head", "tail": "their tail", "ends": "both ends"}
