"""From a spec to a job: the log in order and in parts, what is counted of it, and a ranker of its items."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from rich.console import Console

from heedful.cost.summary import ModelCost, short, summarise
from heedful.data.interactions.feed import HistoryFeed
from heedful.data.interactions.sequences import Sequences, said, sequences
from heedful.data.interactions.sources import load_log
from heedful.data.tokens import Tokenizer
from heedful.data.tokens.items import Items, most_frequent
from heedful.errors import UsageError
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.checkpoint import fill
from heedful.models.ranker.build import build_ranker
from heedful.models.ranker.history import HistoryRanker
from heedful.models.ranker.ranker import Ranker
from heedful.spec.interactions import LogDataSpec
from heedful.spec.ranker import RankerSpec
from heedful.spec.task import RunSpec
from heedful.tasks.recommend.counting import neighbours
from heedful.tasks.recommend.features import numbered, of_users, vocabulary
from heedful.tasks.recommend.loading import load_ranker
from heedful.tasks.training import layers_table
from heedful.train.job import Job
from heedful.train.objective import next_item

MOST: Final = 24  # titles kept beside each item are cut to so many words


@dataclass(frozen=True)
class Prepared:
    """A job and the histories it learns from."""

    job: Job
    found: Sequences
    feed: HistoryFeed


def interactions(spec: RunSpec) -> LogDataSpec:
    """The data, if it is a log; `UsageError` otherwise."""
    if not isinstance(spec.data, LogDataSpec):
        raise UsageError(f"data.kind is {spec.data.kind}, and recommend reads a log of users and items: data.kind=interactions would work")
    return spec.data


def prepared(spec: RunSpec, tokenizer: Tokenizer | None = None) -> Prepared:
    """Items as tokens, histories as rows and a ranker; `tokenizer` is the run's own where it goes on.

    Errors: those of data and specs, and `UsageError` for a model that does not rank.
    """
    data = interactions(spec)
    if not isinstance(spec.model, RankerSpec):
        raise UsageError(f"model.kind is {spec.model.kind}, which ranks no items: ranker would work")
    begun = None if tokenizer or spec.train.start is None else load_ranker(Path(spec.train.start))
    found = sequences(load_log(data), data)
    known = begun.tokenizer if begun else tokenizer or items_of(found, data, spec.model)
    assert isinstance(known, Items)
    found = found.coded(known.names)
    spec = replace(spec, model=fitted(spec.model, known))
    torch.manual_seed(spec.train.seed)
    model = build_ranker(spec.model)
    tell(model, found, known, data)
    if begun is not None:
        fill(Path(spec.train.start or ""), model, begun.model.state_dict())
    traits = of_users(found, known.feature_ids, model.spec.content.most) if model.reader is not None and model.spec.content else None
    feed = HistoryFeed(learnable(found), spec.model.context, not data.repeats, traits)
    return Prepared(Job(model, spec, known, objective=next_item, feed=feed, judge="errors"), found, feed)


def items_of(found: Sequences, data: LogDataSpec, model: RankerSpec) -> Items:
    """The items to learn from, with their titles, and the features they are read by."""
    names = most_frequent([found.names[i] for i in found.item[found.part == 0].tolist()], data.vocabulary)
    about = found.log.about_items
    titles = {name: " ".join(about[name].title.split()[:MOST]) for name in names if name in about and about[name].title}
    return Items(names, titles, vocabulary(found, names, model.content.users) if model.content else ())


def fitted(model: RankerSpec, known: Items) -> RankerSpec:
    """The model with as many items and features as there are."""
    if model.vocabulary not in (0, known.size):
        raise UsageError(
            f"model.vocabulary is {model.vocabulary}, and there are {known.size} items to learn from: 0 (as many as there are) would work, "
            f"and data.vocabulary bounds them"
        )
    content = model.content and replace(model.content, features=len(known.features))
    return replace(model, vocabulary=known.size, content=content)


def learnable(found: Sequences) -> Sequences:
    """The same without the interactions to learn from whose items the model does not know (a vocabulary may be bounded)."""
    keep = (found.item < found.known) | (found.part != 0)
    if keep.all():
        return found
    starts = np.concatenate([[0], np.cumsum(keep)])[found.starts]
    return replace(found, item=found.item[keep], time=found.time[keep], part=found.part[keep], starts=starts)


def tell(model: Ranker, found: Sequences, known: Items, data: LogDataSpec) -> None:
    """Give the model what is not learnt: features of items, and counts of histories."""
    if model.spec.content is not None:
        about = (found.about(i) for i in range(known.size))
        model.items.features.copy_(numbered(about, known.feature_ids, model.spec.content.most))
    if isinstance(model, HistoryRanker):
        model.filtered = not data.repeats
        if model.votes is not None and model.spec.votes is not None:
            model.votes.take(neighbours(learnable(found).rows(), known.size, model.spec.votes.neighbours))


def announce(found: Prepared, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    job, log = found.job, found.found
    data = interactions(job.spec)
    about, new = f"{len(log.item):,} interactions of {len(log.users):,} users", len(log.names) - log.known
    sizes = ", ".join(f"{part} {int((log.part == i).sum()):,}" for i, part in enumerate(("train", "validation", "test")))
    console.print(layers_table(cost))
    for line in (
        f"{job.spec.model.kind}: {cost.line()}",
        f"{short(cost.operations)} operations to rank {job.tokenizer.size:,} items after {job.spec.model.context} others",
        f"{data.source}: {about} with {log.known:,} items ({new:,} more are new): {sizes}",
        said(log, data),
    ):
        console.print(line, highlight=False, soft_wrap=True)


def cost_of(job: Job) -> ModelCost:
    """Parameters and operations of one history as long as the context."""
    row = torch.zeros(1, job.spec.model.context, dtype=torch.long)
    return summarise(job.model, [row], attention=(MultiHeadAttention,))
