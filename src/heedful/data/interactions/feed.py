"""Histories as what a job learns from and is judged on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from torch import Tensor

from heedful.data.batches import Share
from heedful.data.interactions.batches import HistoryBatch, Windows, judging
from heedful.data.interactions.log import Numbers
from heedful.data.interactions.sequences import Sequences
from heedful.errors import DataError, UsageError
from heedful.spec.train import TrainSpec

MOST: Final = 5_000  # targets that training is judged by; evaluation takes all


@final
@dataclass(frozen=True)
class HistoryFeed:
    """The windows to learn from, and the validation targets (at most 5,000, evenly spread) that a model could hit."""

    found: Sequences
    context: int
    filtered: bool
    traits: Tensor | None = None

    def source(self, spec: TrainSpec, share: Share) -> Windows:
        """Windows of similar lengths."""
        if spec.order == "stream":
            raise UsageError("train.order is stream, and histories stand alone: shuffled or random would work")
        rows = self.found.rows()
        times = [self.found.time[start : start + len(row)] for start, row in zip(self.found.starts[:-1].tolist(), rows, strict=True)]
        windows = Windows(rows, times, spec.batch, self.context, share, spec.seed)
        windows.traits = self.traits
        return windows

    def judged(self, spec: TrainSpec) -> Iterator[HistoryBatch]:
        """Every target once."""
        batches = judging(self.found, self.places(), spec.eval_batch, self.context, self.filtered, self.traits)
        return (batch for _, batch in batches)

    def places(self) -> Numbers:
        """The targets that are judged: without those that are new or whose history holds anything new."""
        places = self.found.targets("validation")
        fresh = np.concatenate([[0], np.cumsum(self.found.item >= self.found.known)])
        starts = self.found.starts[:-1][self.found.owner[places]]
        places = places[fresh[places + 1] == fresh[starts]]
        if not len(places):
            raise DataError("no validation interaction is with items that the training part knows: a larger data.validation would work")
        spread: Numbers = places[np.linspace(0, len(places) - 1, min(len(places), MOST)).astype(np.int64)]
        return spread

    def fingerprint(self) -> str:
        """The sha256 of items, times and parts."""
        total = hashlib.sha256()
        for column in (self.found.item, self.found.time, self.found.part, self.found.starts):
            total.update(np.ascontiguousarray(column).data)
        return total.hexdigest()
