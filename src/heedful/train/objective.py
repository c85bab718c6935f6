"""What is minimised: the loss of one batch, and what the next batch needs to know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heedful.data.batches import Batch
from heedful.data.interactions.batches import HistoryBatch
from heedful.data.labelled.batches import TextBatch
from heedful.data.labelled.masked import MaskedBatch
from heedful.data.pairs.rows import PairBatch
from heedful.errors import UsageError
from heedful.models.classifier import ClassifierOutput
from heedful.models.ranker.ranker import RankerOutput
from heedful.models.seq2seq.sequence import Seq2SeqOutput

LEAST: Final = 1e-9  # of what is read of a token: its logarithm is taken
Carry = Tensor | tuple["Carry", ...] | None


class Outcome(NamedTuple):
    """The mean loss over the batch's labels in nats, the logits, and what a stream carries on (detached).

    `right` is the sum of how right each label was found, from 0 to 1, where that is more than whether its logit was the highest.
    """

    loss: Float[Tensor, ""]
    logits: Float[Tensor, "b *t v"] | None
    carry: Carry = None
    right: Float[Tensor, ""] | None = None


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


def weighted_class_of(weights: Tensor) -> Objective:
    """Cross entropy of the class of every text, a text counting as much as `weights` says of its class while learning."""

    def objective(model: nn.Module, batch: TextBatch, carry: Carry) -> Outcome:
        heard = weights.to(batch.ids.device) if model.training else None
        output: ClassifierOutput = model(batch.ids, lengths=batch.lengths, labels=batch.labels, weights=heard)
        assert output.loss is not None, "a classifier that is given labels returns their loss"
        return Outcome(output.loss, output.logits)

    return objective


def reasoned_class_of(weight: float, weights: Tensor | None = None) -> Objective:
    """The same, and while learning a cross entropy between what readers marked and what is read of each text that has marks.

    Supervised attention, as in Mathew et al. 2021, arXiv 2012.10289, §4.2: what is read is the pooling's attention, through the last
    layer's where there is one; `weight` is what it counts beside the class.
    """
    plain = class_of if weights is None else weighted_class_of(weights)

    def objective(model: nn.Module, batch: TextBatch, carry: Carry) -> Outcome:
        if not model.training or batch.marks is None:
            return plain(model, batch, carry)
        heard = None if weights is None else weights.to(batch.ids.device)
        output: ClassifierOutput = model(batch.ids, lengths=batch.lengths, labels=batch.labels, weights=heard, trace=True)
        assert output.loss is not None, "a classifier that is given labels returns their loss"
        return Outcome(output.loss + weight * reasons(output, batch.marks), output.logits)

    return objective


def reasons(output: ClassifierOutput, marks: Bool[Tensor, "b t"]) -> Float[Tensor, ""]:
    """The mean over texts with marks of -Σ r log(what is read), r the same for every marked token."""
    if output.pooled is None:
        raise UsageError("train.rationale guides what a model's attention reads, and this one has none: an encoder or a bilstm would work")
    read = output.pooled.float()
    if output.traces:
        read = torch.einsum("bq,bhqk->bk", read, output.traces[-1].weights.float()) / output.traces[-1].weights.shape[1]
    shares = marks.float() / marks.sum(1, keepdim=True).clamp(min=1)
    lost = -(shares * read.clamp(min=LEAST).log()).sum(1)
    return lost.sum() / marks.any(1).sum().clamp(min=1)


def hidden_tokens(model: nn.Module, batch: MaskedBatch, carry: Carry) -> Outcome:
    """Cross entropy of every token that was hidden from an encoder."""
    output: ClassifierOutput = model(batch.ids, lengths=batch.lengths, hidden=(batch.blank, batch.places))
    return Outcome(cross_entropy(output.logits.float(), batch.labels), output.logits)


def target_of(smoothing: float = 0.0) -> Objective:
    """Cross entropy of every token of the target; labels are smoothed by this share while learning, and as they are when judged."""

    def objective(model: nn.Module, batch: PairBatch, carry: Carry) -> Outcome:
        share = smoothing if model.training else 0.0
        output: Seq2SeqOutput = model(batch.source, batch.lengths, batch.ids, labels=batch.labels, smoothing=share)
        assert output.loss is not None, "a model that is given labels returns their loss"
        return Outcome(output.loss, output.logits)

    return objective


def next_item(model: nn.Module, batch: HistoryBatch, carry: Carry) -> Outcome:
    """The loss of every next item of the histories; in judging nats and NDCG@10 of the last one."""
    told = {"times": batch.times, "own": batch.own, "seen": batch.seen, "traits": batch.traits}
    output: RankerOutput = model(batch.ids, labels=batch.labels, **told)
    assert output.loss is not None, "a ranker that is given labels returns their loss"
    return Outcome(output.loss, None, None, output.gain)
