"""What a model is that reads one text and writes another, all at once to learn and token by token to write."""

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


class Seq2SeqOutput(NamedTuple):
    """Scores of what follows each place of the target, the loss where labels were given, and where each place looked.

    `alignment` is how much each place of the target read of each of the source (mean over layers and heads), `traces` the weights of
    the cross-attention of each layer; both only where they were asked for.
    """

    logits: Float[Tensor, "b t v"]
    loss: Float[Tensor, ""] | None = None
    alignment: Float[Tensor, "b t s"] | None = None
    traces: tuple[Trace, ...] = ()


class Writing(ABC):
    """What a model remembers of sources and of the targets so far, a row a target."""

    @abstractmethod
    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i], of the same source: what a beam search does after each step."""

    @abstractmethod
    def select(self, index: Int[Tensor, " n"]) -> None:
        """Row i becomes row index[i], its source too: the sources that are not done yet, or each of them several times."""


class Seq2Seq(nn.Module, ABC):
    """`mark` is the token that ends a source and a target and stands before a target: one more than the tokenizer has.

    `vocabulary` counts the tokenizer's tokens, `context` those of a source or a target, the mark among them.
    """

    def __init__(self, vocabulary: int, context: int) -> None:
        super().__init__()
        if vocabulary < 1:
            raise UsageError(f"model.vocabulary is {vocabulary}: a model needs the tokenizer's size")
        self.vocabulary, self.context, self.mark = vocabulary, context, vocabulary

    @abstractmethod
    def forward(
        self,
        source: Int[Tensor, "b s"],
        lengths: Int[Tensor, " b"],
        ids: Int[Tensor, "b t"],
        *,
        labels: Int[Tensor, "b t"] | None = None,
        smoothing: float = 0.0,
        trace: bool = False,
    ) -> Seq2SeqOutput:
        """Logits (b, t, v + 1) of what follows each token of the target; `labels` are those, -100 where they do not count.

        `lengths` says how many tokens of each source are not padding; `smoothing` is the share of each label that is spread over all.
        """

    @abstractmethod
    def begin(self, source: Int[Tensor, "b s"], lengths: Int[Tensor, " b"]) -> Writing:
        """The sources read, and nothing written."""

    @abstractmethod
    def step(self, ids: Int[Tensor, " b"], writing: Writing) -> Float[Tensor, "b v"]:
        """The logits of what follows one more token of each target; `writing` goes on in place."""


def real_places(source: Int[Tensor, "b s"], lengths: Int[Tensor, " b"]) -> Bool[Tensor, "b s"] | None:
    """Which places of the sources are not padding; None where none is."""
    if lengths.shape != source.shape[:1]:
        raise ShapeError(f"lengths say how long each of {len(source)} sources is: found {tuple(lengths.shape)}")
    if bool((lengths == source.shape[1]).all()):
        return None
    return torch.arange(source.shape[1], device=source.device) < lengths[:, None]


def looked_up(embedding: TokenEmbedding, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t m"]:
    """The embeddings of tokens (b, t) that are in the vocabulary."""
    try:
        x: Tensor = embedding(ids)
    except IndexError:
        low, high = (int(end) for end in ids.aminmax())
        size = embedding.weight.shape[0]
        raise ShapeError(f"token {high if high >= size else low} is not in this model's vocabulary of {size}, its mark included") from None
    return x


def loss_of(logits: Float[Tensor, "b t v"], labels: Int[Tensor, "b t"] | None, smoothing: float) -> Float[Tensor, ""] | None:
    """Mean cross entropy in nats, in float32, against labels of which a share is spread over all tokens (Szegedy et al. 2015, §7)."""
    if labels is None:
        return None
    if labels.shape != logits.shape[:2]:
        raise ShapeError(f"labels name the token after each of {tuple(logits.shape[:2])} places: found {tuple(labels.shape)}")
    return cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), label_smoothing=smoothing)
