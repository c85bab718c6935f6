"""What is minimised: the loss of one batch, and what the next batch needs to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.data.batches import Batch
from heedful.data.labelled.batches import TextBatch
from heedful.models.classifier import ClassifierOutput

Carry = Tensor | tuple["Carry", ...] | None


class Outcome(NamedTuple):
    """The mean loss over the batch's labels in nats, the logits, and what a stream carries on (detached)."""

    loss: Float[Tensor, ""]
    logits: Float[Tensor, "b *t v"] | None
    carry: Carry = None


class LanguageOutput(Protocol):
    """What a language model returns."""

    @property
    def loss(self) -> Tensor | None:
        """Mean nats per label, where labels were given."""

    @property
    def logits(self) -> Tensor | None:
        """(b, t, v) scores of the next token."""

    @property
    def memory(self) -> Carry:
        """What the next stretch of the same streams may look back on, detached."""


class LanguageModel(Protocol):
    """How a language model is called; `labels[:, i]` is the token after `ids[:, i]`, -100 is left out."""

    def __call__(self, ids: Int[Tensor, "b t"], *, labels: Int[Tensor, "b t"] | None = None, memory: Carry = None) -> LanguageOutput:
        """Logits, and the loss where there are labels."""


Objective = Callable[[nn.Module, Any, Carry], Outcome]


def next_token(model: nn.Module, batch: Batch, carry: Carry) -> Outcome:
    """Cross entropy of every next token."""
    output: LanguageOutput = model(batch.ids, labels=batch.labels, memory=None if batch.fresh else carry)
    assert output.loss is not None, "a language model that is given labels returns their loss"
    return Outcome(output.loss, output.logits, output.memory)


def class_of(model: nn.Module, batch: TextBatch, carry: Carry) -> Outcome:
    """Cross entropy of the class of every text."""
    output: ClassifierOutput = model(batch.ids, lengths=batch.lengths, labels=batch.labels)
    assert output.loss is not None, "a classifier that is given labels returns their loss"
    return Outcome(output.loss, output.logits)
