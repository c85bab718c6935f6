"""What a ranker is: a history in, a score of every item out; a loss in training, nats and gain where the next item is known."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Final, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.errors import ShapeError, UsageError
from heedful.models.ranker.gain import gain
from heedful.models.ranker.items import NONE, Catalogue, ContentTower, ItemVectors
from heedful.spec.ranker import RankerSpec

IGNORED: Final = -100
TOP: Final = 10


class Histories(NamedTuple):
    """Items (b, t) with padding on the right, and what else may be known of them.

    `lengths` are how many items of each row are real (None: all), `times` their seconds (b, t), `traits` the users' features (b, f);
    `given` are vectors (b, t, m) that are read in place of the items' own.
    """

    ids: Int[Tensor, "b t"]
    lengths: Int[Tensor, " b"] | None = None
    times: Int[Tensor, "b t"] | None = None
    traits: Int[Tensor, "b f"] | None = None
    given: Float[Tensor, "b t m"] | None = None

    @property
    def last(self) -> Int[Tensor, " b"]:
        """The last real place of each row."""
        full = torch.full((len(self.ids),), self.ids.shape[1], device=self.ids.device)
        return (full if self.lengths is None else self.lengths) - 1


class RankerOutput(NamedTuple):
    """`scores` of every item where nothing was asked; otherwise the mean `loss` in nats, and in judging the summed `gain` (NDCG@10)."""

    scores: Float[Tensor, "b v"] | None = None
    loss: Float[Tensor, ""] | None = None
    gain: Float[Tensor, ""] | None = None


class Ranker(nn.Module, ABC):
    """Reads histories; `vocabulary` and `context` are counts of items."""

    def __init__(self, spec: RankerSpec) -> None:
        super().__init__()
        if spec.vocabulary < 1:
            raise UsageError(f"model.vocabulary is {spec.vocabulary}: a ranker needs as many items as its tokenizer has")
        if spec.content is not None and spec.content.features < 1:
            raise UsageError(
                "model.content reads words and attributes of items, and none are known: data.items=TABLE, or model.content=null, would work"
            )
        self.spec, self.vocabulary, self.context = spec, spec.vocabulary, spec.context
        self.items = ItemVectors(spec)
        self.reader = ContentTower(spec.content, spec.width) if spec.content and spec.content.users else None

    @abstractmethod
    def learn(self, read: Histories, labels: Int[Tensor, "b t"], own: Int[Tensor, "b o"] | None) -> Float[Tensor, ""]:
        """The training loss of the items that came next."""

    @abstractmethod
    def scores(self, read: Histories, catalogue: Catalogue | None = None) -> Float[Tensor, "b v"]:
        """Every item of the catalogue (the known ones if None) as the next after each history."""

    def forward(
        self,
        ids: Int[Tensor, "b t"],
        *,
        labels: Int[Tensor, "b t"] | None = None,
        times: Int[Tensor, "b t"] | None = None,
        own: Int[Tensor, "b o"] | None = None,
        seen: Int[Tensor, "b s"] | None = None,
        traits: Int[Tensor, "b f"] | None = None,
    ) -> RankerOutput:
        """Scores, or the loss where `labels` say what came next (-100: nothing asked).

        Arguments:
            own: all items of each row's user that counts were taken from, padded with -1; they are taken out again in training.
            seen: items not to be ranked, padded with -1; in judging, where each row asks once.
        """
        if ids.dim() != 2 or not 1 <= ids.shape[1] <= self.context:
            raise ShapeError(f"histories are (b, t) with 1 to {self.context} items, the model's context: found {tuple(ids.shape)}")
        if labels is None:
            return RankerOutput(self.scores(Histories(ids, None, times, traits)))
        if self.training:
            return RankerOutput(None, self.learn(Histories(ids, None, times, traits), labels, own))
        return self.judge(Histories(ids, (labels != IGNORED).long().argmax(1) + 1, times, traits), labels, seen)

    def judge(self, read: Histories, labels: Int[Tensor, "b t"], seen: Int[Tensor, "b s"] | None) -> RankerOutput:
        """Nats and NDCG@10 of what came next, among all items that were not seen."""
        right = labels.gather(1, read.last[:, None])
        scores = without(self.scores(read).float(), seen)
        nats = (scores.logsumexp(1) - scores.gather(1, right)[:, 0]).mean()
        return RankerOutput(None, nats, gain(scores, right[:, 0], TOP).ndcg.sum())

    def embedded(self, read: Histories, vectors: Float[Tensor, "v m"]) -> Float[Tensor, "b t m"]:
        """The vectors of a history's items, as large as a norm wants them, and the user's beside each."""
        scale = math.sqrt(vectors.shape[1])
        x: Tensor = torch.nn.functional.embedding(read.ids, vectors) * scale if read.given is None else read.given
        if self.reader is None or read.traits is None:
            return x
        told: Tensor = self.reader(read.traits)
        return x + told[:, None] * scale


def without(scores: Float[Tensor, "b v"], seen: Int[Tensor, "b s"] | None) -> Float[Tensor, "b v"]:
    """The scores with those of `seen` at -inf."""
    if seen is None:
        return scores
    wide = torch.cat([scores, scores.new_zeros(len(scores), 1)], dim=1)  # padding is written to a column of its own
    return wide.scatter(1, torch.where(seen == NONE, scores.shape[1], seen), -torch.inf)[:, :-1]
