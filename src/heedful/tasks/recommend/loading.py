"""A run's ranker, its items and its spec, ready to rank what anybody had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from heedful.data.interactions.batches import padded
from heedful.data.interactions.log import Described
from heedful.data.interactions.sequences import Sequences, sequences
from heedful.data.interactions.sources import load_log
from heedful.data.tokens.items import Items
from heedful.errors import CheckpointError, UsageError
from heedful.models.ranker.build import build_ranker
from heedful.models.ranker.items import Catalogue
from heedful.models.ranker.ranker import Histories, Ranker
from heedful.spec.interactions import LogDataSpec
from heedful.spec.task import RunSpec
from heedful.tasks.recommend.features import numbered
from heedful.tasks.recommend.newcomers import Newcomers
from heedful.tasks.recommend.scorer import History
from heedful.tasks.restored import restored
from heedful.train.run import Run


@dataclass(frozen=True)
class LoadedRanker:
    """What a run has learnt: its best model, in evaluation mode, and the items it knows."""

    run: Run
    model: Ranker
    tokenizer: Items
    spec: RunSpec

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    @property
    def data(self) -> LogDataSpec:
        """How its log is read."""
        if not isinstance(self.spec.data, LogDataSpec):
            raise UsageError(f"data.kind is {self.spec.data.kind}: a run of the task recommend would work")
        return self.spec.data

    def sequences(self, source: str | None = None, order: int = 0) -> Sequences:
        """The run's own log in order and in parts, or another read the same way (its columns found anew)."""
        data = self.data
        if source is not None:
            data = replace(data, source=source, user=None, item=None, time=None, value=None, items=None, users=None)
        return sequences(load_log(data), data, order).coded(self.tokenizer.names)

    @cached_property
    def known(self) -> Catalogue:
        """The vectors of the items it knows."""
        with torch.inference_mode():
            return self.model.items.catalogue()

    def catalogue(self, new: Sequence[Described]) -> Catalogue:
        """The same with new items, read by their words and attributes; `UsageError` where the model cannot."""
        if not new:
            return self.known
        if self.model.spec.content is None:
            raise UsageError("new items are ranked by their words and attributes, and this model reads none: one with model.content would")
        return self.newcomers.welcomed(self.plain(new), self.tokenizer.size)

    def plain(self, new: Sequence[Described]) -> Catalogue:
        """The known items, and new ones as their content alone has them."""
        assert self.model.spec.content is not None
        features = numbered(new, self.tokenizer.feature_ids, self.model.spec.content.most)
        with torch.inference_mode():
            return self.model.items.catalogue(features.to(self.device))

    @cached_property
    def newcomers(self) -> Newcomers:
        """How much the content of new items counts."""
        return Newcomers.of(self.run.path)

    @torch.inference_mode()
    def scores(self, histories: Sequence[History], catalogue: Catalogue | None = None) -> Float[torch.Tensor, "b v"]:
        """Every item of the catalogue after each history; after an empty one, what is right for everybody."""
        catalogue = catalogue or self.known
        able = [readable(history, len(catalogue.bias), self.model.context) for history in histories]
        filled = [
            history if len(history.items) else History(np.zeros(1, np.int64), np.zeros(1, np.int64), history.traits) for history in able
        ]
        lengths = torch.tensor([len(history.items) for history in filled])
        told = [one.traits for one in filled if one.traits is not None]
        traits = torch.from_numpy(np.stack(told)) if len(told) == len(filled) else None
        columns = (padded([one.items for one in filled], 0), lengths, padded([one.times for one in filled], 0), traits)
        read = Histories(*(None if column is None else column.to(self.device) for column in columns))  # type: ignore[arg-type]
        found = self.model.scores(read, catalogue).float()
        empty = torch.tensor([not len(history.items) for history in able], device=self.device)
        return torch.where(empty[:, None], catalogue.bias.float(), found).cpu()


def readable(history: History, items: int, context: int) -> History:
    """The latest items of a history that are in the catalogue."""
    known = history.items < items
    return history._replace(items=history.items[known][-context:], times=history.times[known][-context:])


def load_ranker(path: Path) -> LoadedRanker:
    """The best checkpoint of a run, or the checkpoint itself where `path` is a file.

    Errors: `CheckpointError` for a folder that is no run, or a checkpoint that is missing, cut short or of another model.
    """
    found = restored(path, build_ranker)
    if not isinstance(found.tokenizer, Items):
        raise CheckpointError(f"{found.file}: its tokenizer is of {found.tokenizer.kind}, and a ranker's is of items")
    return LoadedRanker(found.run, found.model, found.tokenizer, found.spec)
