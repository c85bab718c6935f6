"""Batches of pairs of similar lengths, so that little of a batch is padding: as many pairs, or as many tokens; resumable at any batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, final

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.batches import ALONE, Cursor, Share
from heedful.data.pairs.rows import PairBatch, PairRows
from heedful.errors import DataError, UsageError
from heedful.spec.train import TrainSpec

POOL = 8192  # pairs that are sorted by length together

B_co = TypeVar("B_co", bound=tuple[Any, ...], covariant=True)


class Measured(Protocol):
    """One side of pairs."""

    @property
    def lengths(self) -> Int[Tensor, " rows"]:
        """How long each is."""


class Paired(Protocol[B_co]):
    """Sources, be they texts or waves, with a target each."""

    @property
    def source(self) -> Measured:
        """What is read."""

    @property
    def target(self) -> Measured:
        """What is written."""

    def __len__(self) -> int: ...

    def batch(self, places: Int[Tensor, " b"]) -> B_co:
        """The pairs at `places` together."""


class PairBatches(Generic[B_co]):
    """An endless source of batches whose longer side, padding counted, has at most `tokens` tokens (or of `rows` pairs each).

    The pairs are drawn in a new order each epoch, sorted by length among 8,192, and the batches are shuffled; every pair is drawn
    once an epoch. All processes draw alike and each takes its share of the batches, a whole one at a time.

    >>> from heedful.data.pairs.rows import Side
    >>> lengths = torch.tensor([1, 9, 1, 9])
    >>> side = Side(torch.arange(20), lengths, lengths.cumsum(0) - lengths)
    >>> batches = PairBatches(PairRows(side, side, mark=20), rows=2)
    >>> sorted(batches.draw().source.shape[1] for _ in range(2))
    [1, 9]
    """

    def __init__(self, pairs: Paired[B_co], rows: int, tokens: int | None = None, share: Share = ALONE, seed: int = 0) -> None:
        if not len(pairs):
            raise DataError("there are no pairs to learn from")
        self.pairs, self.rows, self.tokens, self.share, self.seed = pairs, rows, tokens, share, seed
        self.longest = torch.maximum(pairs.source.lengths, pairs.target.lengths)
        self.epoch, self.place = 0, 0
        self.batches = self.ordered()

    @property
    def batches_an_epoch(self) -> float:
        """How many batches a process draws for all pairs to be drawn once (of the first epoch; others differ by a few)."""
        return float(max(1, len(self.batches) // self.share.of))

    @property
    def tokens_a_batch(self) -> float:
        """Of both sides, padding left out, all processes together, on average."""
        total = int(self.pairs.source.lengths.sum() + self.pairs.target.lengths.sum())
        return total / len(self.batches) * self.share.of

    def ordered(self) -> list[Int[Tensor, " b"]]:
        """The batches of this epoch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        found: list[Tensor] = []
        for pool in torch.split(torch.randperm(len(self.pairs), generator=generator), POOL):
            # by the longer side, then by the source: a stable sort takes the last key first
            by_source = pool[self.pairs.source.lengths[pool].argsort(stable=True)]
            both = by_source[self.longest[by_source].argsort(stable=True)]
            found += self.pieces(both)
        return [found[i] for i in torch.randperm(len(found), generator=generator).tolist()]

    def pieces(self, places: Int[Tensor, " n"]) -> list[Int[Tensor, " b"]]:
        """Pairs in the order of their lengths, cut where a batch is full."""
        if self.tokens is None:
            return list(torch.split(places, self.rows))
        found, start = [], 0
        for i, length in enumerate(self.longest[places].tolist()):
            if i > start and (i + 1 - start) * length > self.tokens:
                found.append(places[start:i])
                start = i
        return [*found, places[start:]]

    def draw(self) -> B_co:
        """The next batch in this epoch's order."""
        if self.place + self.share.of > len(self.batches) and self.place:
            self.epoch, self.place = self.epoch + 1, 0
            self.batches = self.ordered()
        places = self.batches[(self.place + self.share.rank) % len(self.batches)]
        self.place += self.share.of
        return self.pairs.batch(places)

    def cursor(self) -> Cursor:
        """The epoch and the place in it."""
        return {"epoch": self.epoch, "place": self.place}

    def seek(self, cursor: Cursor) -> None:
        """Draw that epoch's order again and go to the place."""
        self.epoch, self.place = int(cursor["epoch"]), int(cursor["place"])
        self.batches = self.ordered()


@final
@dataclass(frozen=True)
class PairFeed:
    """The pairs to learn from and those to be judged on."""

    train: PairRows
    validation: PairRows

    def source(self, spec: TrainSpec, share: Share) -> PairBatches[PairBatch]:
        """Batches of similar lengths, each pair once an epoch."""
        if spec.order == "stream":
            raise UsageError("train.order is stream, and pairs stand alone: shuffled (each once an epoch) would work")
        return PairBatches(self.train, spec.batch, spec.batch_tokens, share, spec.seed)

    def judged(self, spec: TrainSpec) -> Iterator[PairBatch]:
        """Every validation pair once."""
        return (batch for _, batch in every(self.validation, spec.eval_batch))

    def fingerprint(self) -> str:
        """The sha256 of the tokens and lengths of both sides."""
        total = hashlib.sha256()
        for one in (self.train.source, self.train.target):
            total.update(one.tokens.numpy().data)
            total.update(one.lengths.numpy().data)
        return total.hexdigest()


def every(pairs: Paired[B_co], rows: int) -> Iterator[tuple[Int[Tensor, " b"], B_co]]:
    """Every pair once, from the shortest source to the longest, with its place; at most `rows` at a time."""
    for places in torch.split(pairs.source.lengths.argsort(stable=True), rows):
        yield places, pairs.batch(places)
