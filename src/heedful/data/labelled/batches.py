"""Batches of texts of similar lengths, so that little of a batch is padding; resumable at any batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from heedful.data.batches import ALONE, Cursor, Share
from heedful.data.labelled.rows import Rows
from heedful.errors import DataError

POOL = 50  # batches that are sorted by length together


class TextBatch(NamedTuple):
    """Tokens with padding on the right, how many of each row are real, the class of each row, and which tokens readers marked, if told."""

    ids: Int[Tensor, "b t"]
    lengths: Int[Tensor, " b"]
    labels: Int[Tensor, " b"]
    marks: Bool[Tensor, "b t"] | None = None


class Bucketed:
    """An endless source of batches of `batch` texts, each about as long as the others of its batch.

    The texts are drawn in a new order each epoch (with `order="random"`, each time anew), sorted by length within 50 batches, and
    the batches are shuffled. What does not fill a batch is left out of its epoch. All processes draw alike and each takes its share.

    >>> from heedful.data.labelled.rows import Rows
    >>> lengths = torch.tensor([1, 9, 1, 9])
    >>> rows = Rows(torch.arange(20), lengths.cumsum(0) - lengths, lengths, torch.tensor([0, 1, 0, 1]))
    >>> batches = Bucketed(rows, batch=2)
    >>> sorted(batches.draw().ids.shape[1] for _ in range(2))
    [1, 9]
    """

    def __init__(
        self, texts: Rows, batch: int, share: Share = ALONE, seed: int = 0, order: Literal["random", "shuffled"] = "shuffled"
    ) -> None:
        if not len(texts):
            raise DataError("there are no texts to learn from")
        self.texts, self.share, self.seed, self.order = texts, share, seed, order
        self.rows = batch * share.of
        self.epoch, self.place = 0, 0
        self.batches = self.ordered()

    @property
    def batches_an_epoch(self) -> float:
        """How many batches hold every text once, all processes together."""
        return max(1.0, len(self.texts) / self.rows)

    @property
    def tokens_a_batch(self) -> float:
        """Of a batch, padding left out, on average."""
        return self.rows * float(self.texts.lengths.double().mean())

    def ordered(self) -> Int[Tensor, "batches rows"]:
        """The batches of this epoch: at least one."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        count = len(self.texts)
        repeats = -(-self.rows // count)
        drawn = [self.drawn(count, generator) for _ in range(repeats)]
        places = torch.cat(drawn)[: max(1, count // self.rows) * self.rows]
        pools = [pool[self.texts.lengths[pool].argsort(stable=True)] for pool in torch.split(places, POOL * self.rows)]
        batches = torch.cat(pools).view(-1, self.rows)
        return batches[torch.randperm(len(batches), generator=generator)]

    def drawn(self, count: int, generator: torch.Generator) -> Int[Tensor, " n"]:
        """As many texts as there are: each once, or each time any."""
        if self.order == "random":
            return torch.randint(count, (count,), generator=generator)
        return torch.randperm(count, generator=generator)

    def draw(self) -> TextBatch:
        """The next batch in this epoch's order."""
        if self.place >= len(self.batches):
            self.epoch, self.place = self.epoch + 1, 0
            self.batches = self.ordered()
        places = self.batches[self.place][self.share.rank :: self.share.of]
        self.place += 1
        return batch_of(self.texts, places)

    def cursor(self) -> Cursor:
        """The epoch and the place in it."""
        return {"epoch": self.epoch, "place": self.place}

    def seek(self, cursor: Cursor) -> None:
        """Draw that epoch's order again and go to the place."""
        self.epoch, self.place = int(cursor["epoch"]), int(cursor["place"])
        self.batches = self.ordered()


def batch_of(texts: Rows, places: Int[Tensor, " b"]) -> TextBatch:
    """The texts at `places` together."""
    return TextBatch(*texts.padded(places), texts.labels[places], texts.marked(places))


def every(texts: Rows, batch: int) -> Iterator[tuple[Int[Tensor, " b"], TextBatch]]:
    """Every text once, from the shortest to the longest, with its place; at most `batch` rows at a time."""
    for places in torch.split(texts.lengths.argsort(stable=True), batch):
        yield places, batch_of(texts, places)
