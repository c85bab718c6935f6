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
from heedful.models.windows import averaged, spread, windows_of
from heedful.spec.classifier import ClassifierSpec


class ClassifierOutput(NamedTuple):
    """`loss` where labels were given, `traces` (one a layer that attends) where asked for, `pooled`: how much each place counted.

    `evidence` is what each place adds to the score of each class, where the model is a sum of such; `parts` are the logits of models
    that learn side by side, whose sum the logits are.
    """

    logits: Float[Tensor, "b c"]
    loss: Float[Tensor, ""] | None = None
    traces: tuple[Trace, ...] = ()
    pooled: Float[Tensor, "b t"] | None = None
    evidence: Float[Tensor, "b t c"] | None = None
    parts: tuple[Float[Tensor, "b c"], ...] = ()


class Classifier(nn.Module, ABC):
    """Reads whole texts: row b of the logits scores the classes of the first `lengths[b]` tokens of row b.

    `vocabulary` and `context` are counts of tokens, `labels` the classes by name; with `windowed`, what is longer than the context is
    read in windows.
    """

    windowed: bool = False

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
        weights: Float[Tensor, " c"] | None = None,
        trace: bool = False,
        hidden: tuple[Bool[Tensor, "b t"], Int[Tensor, " n"]] | None = None,
    ) -> ClassifierOutput:
        """Logits (b, c), and what else was asked for.

        Arguments:
            lengths: how many tokens of each row are real, from the left; all unless given.
            labels: the class of each row, for the loss: mean cross entropy in nats, in float32.
            weights: how much a text of each class counts in the loss; all the same unless given.
            trace: keep the attention weights of every layer that attends.
            hidden: which places show nothing of their token, and the places, counted through all rows, whose tokens are guessed: the
                logits are then (n, vocabulary).
        """
        if ids.dim() != 2 or ids.shape[1] == 0:
            raise ShapeError(f"tokens are (b, t), one or more of each row: found {tuple(ids.shape)}")
        if ids.shape[1] > self.context and not self.windowed:
            raise ShapeError(f"{ids.shape[1]} tokens are more than the {self.context} this model reads: {self.context} or fewer would work")
        if hidden is not None:
            return ClassifierOutput(self.guess(ids, lengths, *hidden))
        found = self.read(ids, lengths, trace) if ids.shape[1] <= self.context else self.read_whole(ids, lengths)
        return found if labels is None else found._replace(loss=self.loss(found, labels, weights))

    def guess(
        self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None, blank: Bool[Tensor, "b t"], places: Int[Tensor, " n"]
    ) -> Float[Tensor, "n vocabulary"]:
        """Scores of every token for the places asked for, where a model can be pretrained so."""
        raise UsageError(f"train.learn is masked, and {type(self).__name__} guesses no tokens: model.kind=encoder would work")

    def read_whole(self, ids: Int[Tensor, "b t"], lengths: Int[Tensor, " b"] | None) -> ClassifierOutput:
        """The same of texts longer than the context, window by window."""
        real = torch.full((len(ids),), ids.shape[1], device=ids.device) if lengths is None else lengths
        split = windows_of(ids, real, self.context)
        found = self.read(split.ids, split.lengths, False)
        texts, length = ids.shape
        return ClassifierOutput(
            averaged(found.logits, split, texts),
            pooled=None if found.pooled is None else spread(found.pooled, split, texts, length),
            evidence=None if found.evidence is None else spread(found.evidence, split, texts, length),
            parts=tuple(averaged(part, split, texts) for part in found.parts),
        )

    def loss(self, found: ClassifierOutput, labels: Int[Tensor, " b"], weights: Float[Tensor, " c"] | None) -> Float[Tensor, ""]:
        """Cross entropy of the logits; while parts learn side by side, that of each, added up."""
        heard = found.parts if self.training and found.parts else (found.logits,)
        return torch.stack([cross_entropy(logits.float(), labels, weights) for logits in heard]).sum()

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
