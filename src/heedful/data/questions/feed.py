"""Questions as what a matcher learns from: batches of similar lengths, or groups of a text, one of its class, and others like it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.batches import ALONE, Cursor, Share
from heedful.data.labelled.batches import POOL
from heedful.data.questions.reading import MatchBatch, Reading
from heedful.errors import UsageError
from heedful.spec.train import TrainSpec


@final
class Grouped:
    """An endless source of batches of `batch` texts, in a new order each epoch; resumable at any batch.

    With `near` (the nearest texts of other classes, of each text) a batch is made of groups: a text, another of its class, and `hard` of
    those near to it, drawn anew each time. All processes draw alike and each takes its share, whole groups at a time.
    """

    def __init__(
        self, texts: Reading, spec: TrainSpec, share: Share = ALONE, near: Int[Tensor, "n m"] | None = None, hard: int = 0
    ) -> None:
        self.texts, self.share, self.seed, self.near, self.hard = texts, share, spec.seed, near, hard
        self.group = 1 if near is None else 2 + hard
        if spec.batch % self.group:
            raise UsageError(f"train.batch is {spec.batch}: groups of {self.group} (a text, one like it, {hard} unlike) must fill it")
        self.rows = spec.batch * share.of
        self.members, self.counts = members(texts.words.labels)
        self.epoch, self.place = 0, 0
        self.batches = self.ordered()

    @property
    def batches_an_epoch(self) -> float:
        """How many batches hold as many texts as there are, all processes together."""
        return max(1.0, len(self.texts) / self.rows)

    @property
    def tokens_a_batch(self) -> float:
        """Words of a batch, on average."""
        return self.rows * float(self.texts.words.lengths.double().mean())

    def ordered(self) -> Int[Tensor, "batches rows"]:
        """The batches of this epoch: at least one."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        count, anchors = len(self.texts), self.rows // self.group
        drawn = [torch.randperm(count, generator=generator) for _ in range(-(-anchors // count))]
        places = torch.cat(drawn)[: max(1, count // self.rows) * anchors]
        pools = [pool[self.texts.words.lengths[pool].argsort(stable=True)] for pool in torch.split(places, POOL * anchors)]
        batches = torch.cat(pools).view(-1, anchors)
        batches = batches[torch.randperm(len(batches), generator=generator)]
        return batches if self.near is None else self.companions(batches, self.near, generator)

    def companions(
        self, anchors: Int[Tensor, "batches a"], near: Int[Tensor, "n m"], generator: torch.Generator
    ) -> Int[Tensor, "batches rows"]:
        """Each text with one of its class (another, where there is one) and some of those near to it."""
        labels = self.texts.words.labels[anchors]
        turn = torch.randint(1 << 30, anchors.shape, generator=generator)
        like = self.members[labels, turn % self.counts[labels]]
        other = self.members[labels, (turn + 1) % self.counts[labels]]
        like = torch.where(like == anchors, other, like)
        picked = torch.randint(near.shape[1], (*anchors.shape, self.hard), generator=generator)
        unlike = near[anchors].gather(-1, picked)
        return torch.cat([anchors[..., None], like[..., None], unlike], dim=-1).flatten(1)

    def draw(self) -> MatchBatch:
        """The next batch in this epoch's order."""
        if self.place >= len(self.batches):
            self.epoch, self.place = self.epoch + 1, 0
            self.batches = self.ordered()
        groups = self.batches[self.place].view(-1, self.group)[self.share.rank :: self.share.of]
        self.place += 1
        return self.texts.batch(groups.flatten(), self.group)

    def cursor(self) -> Cursor:
        """The epoch and the place in it."""
        return {"epoch": self.epoch, "place": self.place}

    def seek(self, cursor: Cursor) -> None:
        """Draw that epoch's order again and go to the place."""
        self.epoch, self.place = int(cursor["epoch"]), int(cursor["place"])
        self.batches = self.ordered()


@final
@dataclass(frozen=True)
class QuestionFeed:
    """The texts to learn from with the nearest of other classes, and those to be judged on."""

    train: Reading
    validation: Reading
    near: Int[Tensor, "n m"] | None = None
    hard: int = 0

    def source(self, spec: TrainSpec, share: Share) -> Grouped:
        """Batches of similar lengths, or groups."""
        if spec.order == "stream":
            raise UsageError("train.order is stream, and questions stand alone: shuffled would work")
        return Grouped(self.train, spec, share, self.near, self.hard)

    def judged(self, spec: TrainSpec) -> Iterator[MatchBatch]:
        """Every validation question of a class once."""
        return (batch for _, batch in every(self.validation, spec.eval_batch))

    def fingerprint(self) -> str:
        """The sha256 of runs, their weights and classes."""
        total = hashlib.sha256()
        for part in (self.train.runs.tokens, self.train.runs.lengths, self.train.words.tokens, self.train.words.labels):
            total.update(part.numpy().data)
        return total.hexdigest()


def every(texts: Reading, batch: int) -> Iterator[tuple[Int[Tensor, " b"], MatchBatch]]:
    """Every text once, from the shortest to the longest, with its place."""
    for places in torch.split(texts.words.lengths.argsort(stable=True), batch):
        yield places, texts.batch(places)


def members(labels: Int[Tensor, " n"]) -> tuple[Int[Tensor, "c most"], Int[Tensor, " c"]]:
    """The texts of each class, one row a class, and how many there are.

    >>> [part.tolist() for part in members(torch.tensor([1, 0, 1]))]
    [[[1, 0], [0, 2]], [1, 2]]
    """
    classes = int(labels.max()) + 1
    counts = torch.bincount(labels, minlength=classes)
    order = labels.argsort(stable=True)
    starts = counts.cumsum(0) - counts
    index = (starts[:, None] + torch.arange(int(counts.max()))).clamp(max=len(labels) - 1)
    inside = torch.arange(index.shape[1]) < counts[:, None]
    return torch.where(inside, order[index], 0), counts
