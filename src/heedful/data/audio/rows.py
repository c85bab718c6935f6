"""Recordings and their transcripts as what a model learns from: waves, and tokens behind a mark."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.data.audio.recordings import Recordings
from heedful.data.batches import Share
from heedful.data.pairs.batches import PairBatches, every
from heedful.data.pairs.rows import IGNORED, Side, side
from heedful.data.tokens import Tokenizer
from heedful.errors import UsageError
from heedful.spec.train import TrainSpec


class SpeechBatch(NamedTuple):
    """Waves with silence behind them and how many samples of each are real; transcripts, each behind the mark, and what follows each."""

    waves: Float[Tensor, "b n"]
    lengths: Int[Tensor, " b"]
    ids: Int[Tensor, "b t"]
    labels: Int[Tensor, "b t"]


@dataclass(frozen=True, eq=False)
class SpeechRows:
    """Recordings and their tokens; `mark` ends every transcript and begins it, `cut` transcripts were longer than is written."""

    source: Recordings
    target: Side
    mark: int
    cut: int = 0

    def __len__(self) -> int:
        return len(self.source)

    def batch(self, places: Int[Tensor, " b"]) -> SpeechBatch:
        """The recordings at `places` together."""
        labels = self.target.padded(places, IGNORED)
        before = torch.full_like(labels[:, :1], self.mark)
        ids = torch.cat([before, labels[:, :-1].clamp(min=0)], dim=1)
        return SpeechBatch(self.source.padded(places), self.source.lengths[places], ids, labels)


def speech_rows(recordings: Recordings, tokenizer: Tokenizer, context: int) -> SpeechRows:
    """The recordings with their transcripts as tokens, at most `context` of each, the mark among them."""
    target, cut = side(recordings.texts, tokenizer, context, tokenizer.size)
    return SpeechRows(recordings, target, tokenizer.size, cut)


@final
@dataclass(frozen=True, eq=False)
class SpeechFeed:
    """The recordings to learn from and those to be judged on."""

    train: SpeechRows
    validation: SpeechRows

    def source(self, spec: TrainSpec, share: Share) -> PairBatches[SpeechBatch]:
        """Batches of similar lengths, each recording once an epoch."""
        if spec.order == "stream":
            raise UsageError("train.order is stream, and recordings stand alone: shuffled (each once an epoch) would work")
        if spec.batch_tokens is not None:
            raise UsageError("train.batch_tokens counts tokens of texts, and recordings have samples: train.batch would work")
        return PairBatches(self.train, spec.batch, None, share, spec.seed)

    def judged(self, spec: TrainSpec) -> Iterator[SpeechBatch]:
        """Every validation recording once."""
        return (batch for _, batch in every(self.validation, spec.eval_batch))

    @cached_property
    def hashed(self) -> str:
        """The sha256 of samples, lengths and tokens."""
        total = hashlib.sha256()
        for part in (self.train.source.samples, self.train.source.lengths, self.train.target.tokens, self.train.target.lengths):
            total.update(part.numpy().data)
        return total.hexdigest()

    def fingerprint(self) -> str:
        """The sha256 of what is learnt from."""
        return self.hashed
