"""What a model learns from: batches without end to learn, every example once to judge."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, final

from jaxtyping import Int
from torch import Tensor

from heedful.data.batches import ORDERS, Cursor, Share, whole
from heedful.spec.train import TrainSpec


class Source(Protocol):
    """An endless source of batches that knows where it stands."""

    @property
    def batches_an_epoch(self) -> float:
        """How many batches hold all there is to learn from, all processes together."""

    @property
    def tokens_a_batch(self) -> float:
        """Of a batch, all processes together, on average."""

    def draw(self) -> Any:
        """The next batch: a named tuple of tensors, `labels` among them, and plain values."""

    def cursor(self) -> Cursor:
        """Where it stands."""

    def seek(self, cursor: Cursor) -> None:
        """Go to where `cursor` says."""


class Feed(Protocol):
    """What a job learns from and is judged on."""

    def source(self, spec: TrainSpec, share: Share) -> Source:
        """The batches to learn from, in the order the spec asks for; this process's share of each."""

    def judged(self, spec: TrainSpec) -> Iterable[Any]:
        """The whole validation part in batches."""

    def fingerprint(self) -> str:
        """The sha256 of what is learnt from."""


@final
@dataclass(frozen=True)
class TokenFeed:
    """One long row of tokens a part ("train", "validation"), read in windows of `context`."""

    ids: Mapping[str, Int[Tensor, " n"]]
    context: int

    def source(self, spec: TrainSpec, share: Share) -> Source:
        """Windows, segments or streams."""
        return ORDERS[spec.order](self.ids["train"], spec.batch, self.context, share, spec.seed)

    def judged(self, spec: TrainSpec) -> Iterable[Any]:
        """Every token but the first once as a label."""
        return whole(self.ids["validation"], spec.eval_batch, self.context, spec.order == "stream")

    def fingerprint(self) -> str:
        """The sha256 of the training tokens."""
        return hashlib.sha256(self.ids["train"].numpy().data).hexdigest()
