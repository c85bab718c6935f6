"""Labelled texts as what a job learns from and is judged on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from heedful.data.batches import Share
from heedful.data.labelled.batches import Bucketed, TextBatch, every
from heedful.data.labelled.rows import Rows
from heedful.errors import UsageError
from heedful.spec.train import TrainSpec


@final
@dataclass(frozen=True)
class TextFeed:
    """The texts to learn from and those to be judged on."""

    train: Rows
    validation: Rows

    def source(self, spec: TrainSpec, share: Share) -> Bucketed:
        """Batches of similar lengths."""
        if spec.order == "stream":
            raise UsageError("train.order is stream, and labelled texts stand alone: shuffled (each once an epoch) or random would work")
        return Bucketed(self.train, spec.batch, share, spec.seed, spec.order)

    def judged(self, spec: TrainSpec) -> Iterator[TextBatch]:
        """Every validation text once."""
        return (batch for _, batch in every(self.validation, spec.eval_batch))

    def fingerprint(self) -> str:
        """The sha256 of tokens, lengths and classes."""
        total = hashlib.sha256()
        for part in (self.train.tokens, self.train.lengths, self.train.labels):
            total.update(part.numpy().data)
        if self.train.marks is not None:
            total.update(self.train.marks.numpy().data)
        return total.hexdigest()
