"""What a classifier of texts is: tokens in, a score for each class out, and a loss where the classes are known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heedful.errors import ShapeError, UsageError
from heedful.layers.embed import TokenEmbedding
from heedful.layers.trace import Trace
from heedful.models.language_model import looked_up
from heedful.spec.classifier import ClassifierSpec


class ClassifierOutput(NamedTuple):
    """`loss` where labels were given, `traces` (one a layer that attends) where asked for, `pooled`: how much each place counted."""

    logits: Float[Tensor, "b c"]
    loss: Float[Tensor, ""] | None = None
    traces: tuple[Trace, ...] = ()
    pooled: Float[Tensor, "b t"] | None = None


class Classifier(nn.Module, ABC):
    """Reads whole texts: row b of the logits scores the classes of the first `lengths[b]` tokens of row b.

    `vocabulary` and `context` are counts of tokens, `labels` the classes by name.
    """

    def __init__(self, spec: ClassifierSpec) -> None:
        super().__init__()
        if spec.vocabulary < 1 or len(spec.labels) < 2:
            raise UsageError(
                f"model.vocabulary is {spec.vocabulary} and model.labels are {len(spec.labels)}: a classifier needs the "
                "tokenizer's size and two classes or more"
            )
        self.vocabulary, self.labels, self.context = spec.vocabulary, spec.labels, spec.context

    @abstractmethod
    def read(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None, trace: bool) -> ClassifierOutput:
        """Logits of each text; what is beyond its length changes nothing."""

    def forward(
        self,
        ids: Int[Tensor, "b t"],
        *,
        lengths: Int[Tensor, " b"] | None = None,
        labels: Int[Tensor, " b"] | None = None,
        trace: bool = False,
    ) -> ClassifierOutput:
        """Logits (b, c), and what else was asked for.

        Arguments:
            lengths: how many tokens of each row are real, from the left; all unless given.
            labels: the class of each row, for the loss: mean cross entropy in nats, in float32.
            trace: keep the attention weights of every layer that attends.
        """
        if ids.dim() != 2 or ids.shape[1] == 0:
            raise ShapeError(f"tokens are (b, t), one or more of each row: found {tuple(ids.shape)}")
        if ids.shape[1] > self.context:
            raise ShapeError(f"{ids.shape[1]} tokens are more than the {self.context} this model reads: {self.context} or fewer would work")
        found = self.read(ids, lengths, trace)
        return found if labels is None else found._replace(loss=cross_entropy(found.logits.float(), labels))

    def embed(self, embedding: TokenEmbedding, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t m"]:
        """The embeddings of tokens that are in the vocabulary."""
        return looked_up(embedding, ids)


def real_places(ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None) -> Bool[Tensor, "b t"] | None:
    """Which places are no padding; None where all are real."""
    if lengths is None or int(lengths.min()) >= ids.shape[1]:
        return None
    return torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]


def output(width: int, classes: int) -> nn.Linear:
    """The last layer: N(0, 0.02²), zero bias."""
    head = nn.Linear(width, classes)
    nn.init.normal_(head.weight, std=0.02)
    nn.init.zeros_(head.bias)
    return head
