"""Batches of histories: windows of what users took, every place of which is a target but the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.batches import ALONE, Cursor, Share
from heedful.data.interactions.log import Numbers
from heedful.data.interactions.sequences import Sequences
from heedful.errors import DataError

POOL = 20  # batches that are sorted by length together
IGNORED = -100


class HistoryBatch(NamedTuple):
    """Items with padding on the right and, at each place, the item that came next (-100: none asked for).

    `times` are seconds. `own` are all the items of each row's user that counts were taken from (in training), `seen` those that are not
    to be recommended (in judging), `traits` the features of the users; all padded with -1, and None where there are none.
    """

    ids: Int[Tensor, "b t"]
    labels: Int[Tensor, "b t"]
    times: Int[Tensor, "b t"]
    own: Int[Tensor, "b n"] | None = None
    seen: Int[Tensor, "b s"] | None = None
    traits: Int[Tensor, "b f"] | None = None


class Windows:
    """An endless source of batches of `batch` windows of at most `context` targets, each about as long as the others of its batch.

    A user's interactions are cut into windows from the latest back, so that each is a target once an epoch. The windows are drawn in a
    new order each epoch; all processes draw alike and each takes its share.

    >>> rows = [np.arange(5), np.arange(2), np.arange(9)]
    >>> windows = Windows(rows, [row * 60 for row in rows], batch=2, context=4)
    >>> windows.draw().ids.shape[0], windows.batches_an_epoch
    (2, 2.0)
    """

    def __init__(
        self, rows: Sequence[Numbers], times: Sequence[Numbers], batch: int, context: int, share: Share = ALONE, seed: int = 0
    ) -> None:
        self.items, self.times, self.share, self.seed = rows, times, share, seed
        self.traits: Tensor | None = None
        cuts = [(u, max(0, end - context), end) for u, row in enumerate(rows) for end in range(len(row) - 1, 0, -context)]
        if not cuts:
            raise DataError("there is no user with two interactions to learn from")
        self.cuts = torch.tensor(cuts)
        self.rows = batch * share.of
        self.epoch, self.place = 0, 0
        self.batches = self.ordered()

    @property
    def batches_an_epoch(self) -> float:
        """How many batches hold every window once, all processes together."""
        return max(1.0, len(self.cuts) / self.rows)

    @property
    def tokens_a_batch(self) -> float:
        """Targets of a batch, on average."""
        return self.rows * float((self.cuts[:, 2] - self.cuts[:, 1]).double().mean())

    def ordered(self) -> list[Int[Tensor, " rows"]]:
        """The batches of this epoch, a smaller last one among them."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        places = torch.randperm(len(self.cuts), generator=generator)
        lengths = self.cuts[:, 2] - self.cuts[:, 1]
        pools = [pool[lengths[pool].argsort(stable=True)] for pool in torch.split(places, POOL * self.rows)]
        batches = [batch for pool in pools for batch in torch.split(pool, self.rows) if len(batch) >= self.share.of]
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]

    def draw(self) -> HistoryBatch:
        """The next batch in this epoch's order."""
        if self.place >= len(self.batches):
            self.epoch, self.place = self.epoch + 1, 0
            self.batches = self.ordered()
        places = self.batches[self.place][self.share.rank :: self.share.of]
        self.place += 1
        return self.at(places)

    def at(self, places: Int[Tensor, " b"]) -> HistoryBatch:
        """The windows at `places` together."""
        cuts = self.cuts[places].tolist()
        whole = [self.items[u][start : end + 1] for u, start, end in cuts]
        times = [self.times[u][start:end] for u, start, end in cuts]
        own = [self.items[u] for u, _, _ in cuts]
        ids, labels = padded([row[:-1] for row in whole], 0), padded([row[1:] for row in whole], IGNORED)
        traits = None if self.traits is None else self.traits[self.cuts[places, 0]]
        return HistoryBatch(ids, labels, padded(times, 0), padded(own, -1), None, traits)

    def cursor(self) -> Cursor:
        """The epoch and the place in it."""
        return {"epoch": self.epoch, "place": self.place}

    def seek(self, cursor: Cursor) -> None:
        """Draw that epoch's order again and go to the place."""
        self.epoch, self.place = int(cursor["epoch"]), int(cursor["place"])
        self.batches = self.ordered()


def padded(rows: Sequence[Numbers], filling: int) -> Int[Tensor, "b t"]:
    """Rows of different lengths as one tensor, `filling` on the right."""
    out = np.full((len(rows), max(map(len, rows))), filling, dtype=np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return torch.from_numpy(out)


def judging(
    found: Sequences, places: Numbers, batch: int, context: int, filtered: bool, traits: Tensor | None = None
) -> Iterator[tuple[Numbers, HistoryBatch]]:
    """The history before each of `places` as a row whose last real place is asked for what came; from short to long, `batch` at a time.

    >>> from heedful.data.interactions.sequences import sequences
    >>> from heedful.data.interactions.simulated import simulated_reader
    >>> from heedful.spec.interactions import LogDataSpec
    >>> found = sequences(simulated_reader(), LogDataSpec())
    >>> _, first = next(judging(found, found.targets("test"), 8, 50, filtered=True))
    >>> int((first.labels != IGNORED).sum())
    8
    """
    starts = found.starts[:-1][found.owner[places]]
    lengths = np.minimum(places - starts, context)
    for chosen in np.array_split(np.argsort(lengths, kind="stable"), range(batch, len(places), batch)):
        at = places[chosen]
        reads = [slice(p - n, p) for p, n in zip(at.tolist(), lengths[chosen].tolist(), strict=True)]
        labels = np.full((len(at), int(lengths[chosen].max())), IGNORED, dtype=np.int64)
        labels[np.arange(len(at)), lengths[chosen] - 1] = found.item[at]
        seen = padded([found.item[s:p] for s, p in zip(starts[chosen].tolist(), at.tolist(), strict=True)], -1) if filtered else None
        ids, times = padded([found.item[read] for read in reads], 0), padded([found.time[read] for read in reads], 0)
        yield at, HistoryBatch(ids, torch.from_numpy(labels), times, None, seen, None if traits is None else traits[found.owner[at]])
