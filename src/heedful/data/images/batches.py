"""Batches of examples that are all of one size: a whole set is one batch, and a batch of some of its rows is drawn from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, NamedTuple, TypeVar, final

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from heedful.data.batches import ALONE, Cursor, Share
from heedful.errors import DataError, UsageError
from heedful.spec.train import TrainSpec


class ImageBatch(NamedTuple):
    """Pictures in bytes, and the class of each."""

    pixels: UInt8[Tensor, "b c h w"]
    labels: Int[Tensor, " b"]


class SceneBatch(NamedTuple):
    """Scenes in bytes, the class of every pixel (0: none), and the items: class (-1: no item) and box (x, y, w, h from 0 to 1, centres)."""

    pixels: UInt8[Tensor, "b c h w"]
    labels: Int[Tensor, "b h w"]
    classes: Int[Tensor, "b n"]
    boxes: Float[Tensor, "b n 4"]


B = TypeVar("B", bound=tuple[Any, ...])


def rows(whole: B, places: Int[Tensor, " b"]) -> B:
    """The rows at `places` of a batch.

    >>> rows(ImageBatch(torch.zeros(3, 1, 2, 2).byte(), torch.tensor([5, 6, 7])), torch.tensor([2])).labels.tolist()
    [7]
    """
    return type(whole)(*(part[places] for part in whole))


def every(whole: B, batch: int) -> Iterator[B]:
    """Every row once, in order, at most `batch` at a time."""
    for places in torch.split(torch.arange(len(whole[0])), batch):
        yield rows(whole, places)


@final
class Drawn(Generic[B]):
    """An endless source of batches of rows, in a new order each epoch (`order="random"`: each time any); resumable at any batch.

    All processes draw alike and each takes its share; what does not fill a batch is left out of its epoch.

    >>> batches = Drawn(ImageBatch(torch.zeros(4, 1, 2, 2).byte(), torch.arange(4)), batch=2)
    >>> sorted(batches.draw().labels.tolist() + batches.draw().labels.tolist())
    [0, 1, 2, 3]
    """

    def __init__(
        self, whole: B, batch: int, share: Share = ALONE, seed: int = 0, order: Literal["random", "shuffled"] = "shuffled"
    ) -> None:
        if not len(whole[0]):
            raise DataError("there are no pictures to learn from")
        self.whole, self.share, self.seed, self.order = whole, share, seed, order
        self.count, self.rows = len(whole[0]), batch * share.of
        self.epoch, self.place = 0, 0
        self.places = self.ordered()

    @property
    def batches_an_epoch(self) -> float:
        """How many batches hold every row once, all processes together."""
        return max(1.0, self.count / self.rows)

    @property
    def tokens_a_batch(self) -> float:
        """Pictures of a batch, all processes together."""
        return float(self.rows)

    def ordered(self) -> Int[Tensor, " n"]:
        """This epoch's order: at least one batch."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        repeats = -(-self.rows // self.count)
        if self.order == "random":
            return torch.randint(self.count, (self.count * repeats,), generator=generator)
        return torch.cat([torch.randperm(self.count, generator=generator) for _ in range(repeats)])

    def draw(self) -> B:
        """The next batch in this epoch's order."""
        if self.place + self.rows > len(self.places):
            self.epoch, self.place = self.epoch + 1, 0
            self.places = self.ordered()
        places = self.places[self.place : self.place + self.rows]
        self.place += self.rows
        return rows(self.whole, places[self.share.rank :: self.share.of])

    def cursor(self) -> Cursor:
        """The epoch and the place in it."""
        return {"epoch": self.epoch, "place": self.place}

    def seek(self, cursor: Cursor) -> None:
        """Draw that epoch's order again and go to the place."""
        self.epoch, self.place = int(cursor["epoch"]), int(cursor["place"])
        self.places = self.ordered()


@final
@dataclass(frozen=True, eq=False)
class PictureFeed(Generic[B]):
    """The examples to learn from and those to be judged on, each as one batch of all."""

    train: B
    validation: B

    def source(self, spec: TrainSpec, share: Share) -> Drawn[B]:
        """Batches in the order the spec asks for."""
        if spec.order == "stream":
            raise UsageError("train.order is stream, and pictures stand alone: shuffled (each once an epoch) or random would work")
        return Drawn(self.train, spec.batch, share, spec.seed, spec.order)

    def judged(self, spec: TrainSpec) -> Iterator[B]:
        """Every validation example once."""
        return every(self.validation, spec.eval_batch)

    def fingerprint(self) -> str:
        """The sha256 of what is learnt from."""
        total = hashlib.sha256()
        for part in self.train:
            total.update(part.contiguous().numpy().data)
        return total.hexdigest()
