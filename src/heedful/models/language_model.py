"""What a language model is: tokens in, scores over the next token out, and a loss where the next tokens are known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heedful.errors import ShapeError
from heedful.layers.embed import TokenEmbedding
from heedful.layers.trace import Trace
from heedful.models.adaptive import AdaptiveHead


class DecoderOutput(NamedTuple):
    """`loss` where labels were given, `traces` (one a layer that attends) where asked for, `memory` for the next segment."""

    logits: Float[Tensor, "b t v"]  # none of the places (b, 0, v) where only the loss was computed
    loss: Float[Tensor, ""] | None = None
    traces: tuple[Trace, ...] = ()
    memory: Any = None


class Decoding(ABC):
    """What a model remembers of the tokens it has read, so that the next one costs a step and not a whole pass."""

    length: int = 0

    @abstractmethod
    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Continue row index[i] as row i, as a beam search needs."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything."""


class LanguageModel(nn.Module, ABC):
    """Reads left to right: place t of the logits scores what follows the tokens 0 ... t.

    `vocabulary` and `context` are counts of tokens; `limit` is the most tokens it can place (None: any number), `reach`
    how far back it learnt to look.
    """

    vocabulary: int
    context: int
    limit: int | None = None

    @property
    def reach(self) -> int:
        """How many tokens back it learnt to look."""
        return self.context

    @abstractmethod
    def forward(
        self,
        ids: Int[Tensor, "b t"],
        *,
        labels: Int[Tensor, "b t"] | None = None,
        cache: Any = None,
        memory: Any = None,
        trace: bool = False,
    ) -> DecoderOutput:
        """Logits (b, t, v); `labels` hold the token that follows each place, -100 where it does not count.

        `cache` (from `new_cache`) is read and extended in place; `memory` is an earlier output's, and gets no gradient.
        """

    @abstractmethod
    def new_cache(self, window: int | None = None, sinks: int = 0) -> Decoding:
        """An empty cache; with `window`, each layer sees that many tokens (and the first `sinks`), and a step's cost stops growing."""


def judged(
    x: Float[Tensor, "b t m"], labels: Int[Tensor, "b t"] | None, head: AdaptiveHead, training: bool
) -> tuple[Tensor, Tensor | None]:
    """Logits and loss of an adaptive softmax; in training the loss alone, which is what makes it cheap."""
    loss = None if labels is None else head.loss(x, labels)
    return head.logits(x[:, :0] if training and loss is not None else x), loss


def looked_up(embedding: TokenEmbedding, ids: Int[Tensor, "b t"]) -> Float[Tensor, "b t m"]:
    """The embeddings of tokens (b, t) that are in the vocabulary."""
    if ids.dim() != 2:
        raise ShapeError(f"tokens are (b, t): found {tuple(ids.shape)}")
    try:
        x: Tensor = embedding(ids)
    except IndexError:
        low, high = (int(end) for end in ids.aminmax())
        size = embedding.size
        raise ShapeError(f"token {high if high >= size else low} is not in this model's vocabulary of {size}") from None
    return x


def next_token_loss(logits: Float[Tensor, "b t v"], labels: Int[Tensor, "b t"] | None) -> Float[Tensor, ""] | None:
    """Mean cross entropy in nats, computed in float32."""
    if labels is None:
        return None
    if labels.shape != logits.shape[:2]:
        raise ShapeError(f"labels name the token after each of {tuple(logits.shape[:2])} places: found {tuple(labels.shape)}")
    return cross_entropy(logits.flatten(0, 1).float(), labels.flatten())
