"""Next-token batches from one long row of tokens: by index, without copies, resumable at any batch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import torch
from einops import rearrange
from jaxtyping import Int
from torch import Tensor

from heedful.errors import DataError
from heedful.spec.train import Order

Cursor = dict[str, int | Tensor]


class Batch(NamedTuple):
    """Tokens and, at each place, the token that follows it.

    `fresh` says that the rows do not continue those of the batch before: a carried state or memory starts anew.
    """

    ids: Int[Tensor, "b t"]
    labels: Int[Tensor, "b t"]
    fresh: bool = True


class Share(NamedTuple):
    """Which rows of every batch this process takes: every `of`-th, from `rank` on."""

    rank: int = 0
    of: int = 1


ALONE = Share()


class Batches(ABC):
    """An endless source of batches of (batch, context) that knows where it stands.

    `batch` rows are for one process; all processes draw alike and each takes its share.
    """

    def __init__(self, tokens: Int[Tensor, " n"], batch: int, context: int, share: Share = ALONE) -> None:
        long_enough(tokens, context)
        self.tokens, self.batch, self.context, self.share = tokens, batch, context, share
        self.rows = batch * share.of
        self.windows = tokens.unfold(0, context + 1, 1)

    @property
    def batches_an_epoch(self) -> float:
        """How many batches hold as many tokens as the text, all processes together."""
        return max(1.0, (len(self.tokens) - 1) / (self.rows * self.context))

    @property
    def tokens_a_batch(self) -> float:
        """Of a batch, all processes together."""
        return float(self.rows * self.context)

    @abstractmethod
    def draw(self) -> Batch:
        """The next batch."""

    @abstractmethod
    def cursor(self) -> Cursor:
        """Where it stands."""

    @abstractmethod
    def seek(self, cursor: Cursor) -> None:
        """Go to where `cursor` says, so that the next batch is the one that came next then."""

    def at(self, starts: Int[Tensor, " rows"], fresh: bool = True) -> Batch:
        """The windows that begin at this process's share of `starts`."""
        rows = self.windows[starts[self.share.rank :: self.share.of]]
        return Batch(rows[:, :-1], rows[:, 1:], fresh)


class RandomWindows(Batches):
    """Windows at uniformly drawn places.

    >>> batches = RandomWindows(torch.arange(100), batch=2, context=8, seed=0)
    >>> batch = batches.draw()
    >>> batch.ids.shape, bool((batch.labels == batch.ids + 1).all())
    (torch.Size([2, 8]), True)
    """

    def __init__(self, tokens: Int[Tensor, " n"], batch: int, context: int, share: Share = ALONE, seed: int = 0) -> None:
        super().__init__(tokens, batch, context, share)
        self.generator = torch.Generator().manual_seed(seed)

    def draw(self) -> Batch:
        """Windows at the next random places."""
        return self.at(torch.randint(len(self.windows), (self.rows,), generator=self.generator))

    def cursor(self) -> Cursor:
        """The state of its generator."""
        return {"generator": self.generator.get_state()}

    def seek(self, cursor: Cursor) -> None:
        """Put the generator back."""
        self.generator.set_state(torch.as_tensor(cursor["generator"]))


class Shuffled(Batches):
    """Every segment of the text once an epoch, in an order drawn anew; what does not fill a batch waits for the next.

    The segments of an epoch begin at a random place below `context`, so that no token is always first.
    """

    def __init__(self, tokens: Int[Tensor, " n"], batch: int, context: int, share: Share = ALONE, seed: int = 0) -> None:
        super().__init__(tokens, batch, context, share)
        self.seed, self.epoch, self.place = seed, 0, 0
        self.starts = self.order()

    def order(self) -> Int[Tensor, " segments"]:
        """The starts of this epoch's segments: at least one batch of them."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        last = len(self.windows)
        offset = int(torch.randint(min(self.context, last), (1,), generator=generator))
        starts = torch.arange(offset, last, self.context)
        rounds = -(-self.rows // len(starts))
        return torch.cat([starts[torch.randperm(len(starts), generator=generator)] for _ in range(rounds)])

    def draw(self) -> Batch:
        """The next segments in this epoch's order."""
        if self.place + self.rows > len(self.starts):
            self.epoch, self.place = self.epoch + 1, 0
            self.starts = self.order()
        starts = self.starts[self.place : self.place + self.rows]
        self.place += self.rows
        return self.at(starts)

    def cursor(self) -> Cursor:
        """The epoch and the place in it."""
        return {"epoch": self.epoch, "place": self.place}

    def seek(self, cursor: Cursor) -> None:
        """Draw that epoch's order again and go to the place."""
        self.epoch, self.place = int(cursor["epoch"]), int(cursor["place"])
        self.starts = self.order()


class Streams(Batches):
    """Every row reads its own part of the text from its beginning to its end, batch after batch.

    >>> streams = Streams(torch.arange(41), batch=2, context=10)
    >>> first, second = streams.draw(), streams.draw()
    >>> first.fresh, second.fresh, second.ids[:, 0].tolist()
    (True, False, [10, 30])
    """

    def __init__(self, tokens: Int[Tensor, " n"], batch: int, context: int, share: Share = ALONE, seed: int = 0) -> None:
        super().__init__(tokens, batch, context, share)
        self.length = (len(tokens) - 1) // self.rows
        if self.length < context:
            wanted = self.rows * context + 1
            raise DataError(f"{len(tokens)} tokens are too few for {self.rows} streams of {context}: {wanted} or a smaller batch would do")
        self.first = torch.arange(self.rows) * self.length
        self.place = 0

    def draw(self) -> Batch:
        """The next window of every stream; fresh where they begin again."""
        if self.place + self.context > self.length:
            self.place = 0
        batch = self.at(self.first + self.place, fresh=self.place == 0)
        self.place += self.context
        return batch

    def cursor(self) -> Cursor:
        """The place in the streams."""
        return {"place": self.place}

    def seek(self, cursor: Cursor) -> None:
        """Go to the place."""
        self.place = int(cursor["place"])


ORDERS: dict[Order, type[RandomWindows] | type[Shuffled] | type[Streams]] = {
    "random": RandomWindows,
    "shuffled": Shuffled,
    "stream": Streams,
}


def whole(tokens: Int[Tensor, " n"], batch: int, context: int, carry: bool = False) -> Iterator[Batch]:
    """Every token but the first exactly once as a label, in batches of at most `batch` rows.

    Without `carry` rows are segments in the order of the text; with it, rows are streams that go on from batch to
    batch. What does not fill a row comes last, as one shorter row.

    >>> sum(b.labels.numel() for b in whole(torch.arange(100), batch=4, context=8))
    99
    """
    long_enough(tokens, 1)
    rows = max(1, min(batch, (len(tokens) - 1) // context)) if carry else (len(tokens) - 1) // context
    length = (len(tokens) - 1) // rows if carry else context
    done = rows * length
    if done:
        ids = rearrange(tokens[:done], "(r t) -> r t", r=rows)
        labels = rearrange(tokens[1 : done + 1], "(r t) -> r t", r=rows)
        yield from streamed(ids, labels, context) if carry else segmented(ids, labels, batch)
    if done < len(tokens) - 1:
        yield Batch(tokens[None, done:-1], tokens[None, done + 1 :])


def segmented(ids: Int[Tensor, "r t"], labels: Int[Tensor, "r t"], batch: int) -> Iterator[Batch]:
    """Some rows at a time."""
    for start in range(0, len(ids), batch):
        yield Batch(ids[start : start + batch], labels[start : start + batch])


def streamed(ids: Int[Tensor, "r t"], labels: Int[Tensor, "r t"], context: int) -> Iterator[Batch]:
    """All rows, some places at a time."""
    for start in range(0, ids.shape[1], context):
        yield Batch(ids[:, start : start + context], labels[:, start : start + context], fresh=start == 0)


def long_enough(tokens: Int[Tensor, " n"], context: int) -> None:
    """Refuse a text that has not one whole window."""
    if len(tokens) < context + 1:
        raise DataError(f"the text is too short: {len(tokens)} tokens, a context of {context} needs at least {context + 1}")
