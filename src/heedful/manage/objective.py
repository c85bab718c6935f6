"""What a model is judged by on a batch: the loss of every place that counts, whatever kind of model it is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from heedful.errors import UsageError
from heedful.manage.hosts.pretrained import pretrained
from heedful.models.language_model import LanguageModel

Batch = Mapping[str, Any]
Loss = Callable[[nn.Module, Batch], Tensor]
IGNORED = -100


class Scored(NamedTuple):
    """Nats of each place, or of each example (b, 1), which of them count, and the scores they come from."""

    nll: Float[Tensor, "b t"]
    counts: Bool[Tensor, "b t"]
    logits: Float[Tensor, "b t c"] | None = None

    @property
    def total(self) -> Float[Tensor, ""]:
        """The sum over what counts."""
        return torch.where(self.counts, self.nll, 0.0).sum()

    @property
    def number(self) -> int:
        """How many places count."""
        return int(self.counts.sum())


def token_losses(model: nn.Module, batch: Batch, loss: Loss | None = None) -> Scored:
    """The loss of every place of a batch, differentiable.

    Our language models take `input_ids` (or `ids`), and `labels` that hold the token after each place; models of
    Hugging Face are called as `model(**batch)`, their labels stand at the token itself, -100 where it does not count.
    Without labels a causal model predicts its own input, padding left out. A model that gives one row of scores an
    example is judged by its label, one that fills gaps or answers a source by its labels as they stand.
    `loss(model, batch)` gives a number, or one for each example, for anything else.

    Raises `UsageError` for a batch that is no mapping, or has nothing to be judged by.
    """
    if not isinstance(batch, Mapping):
        raise UsageError(f"a batch is a dict passed as model(**batch): found {type(batch).__name__}")
    if loss is not None:
        return given(loss(model, batch))
    if isinstance(model, LanguageModel):
        return of_ours(model, batch)
    inner = pretrained(model)
    if inner:
        return of_pretrained(model, inner[0], batch)
    return of_output(model(**{**batch, "labels": None} if "labels" in batch else batch), batch)


def given(value: Tensor) -> Scored:
    """A loss that the caller computed: a number for all, or one an example."""
    nll = value.reshape(-1, 1) if value.dim() < 2 else value
    return Scored(nll, torch.ones_like(nll, dtype=torch.bool))


def of_ours(model: LanguageModel, batch: Batch) -> Scored:
    """A language model of ours: labels name the token that follows each place."""
    ids = batch.get("input_ids", batch.get("ids"))
    if ids is None:
        raise UsageError(f"a batch for a language model holds input_ids: found {', '.join(batch) or 'nothing'}")
    labels = batch.get("labels")
    if labels is None:
        labels = following(hidden_where_padded(ids, batch.get("attention_mask")))
    return by_place(model(ids).logits, labels)


def of_pretrained(model: nn.Module, inner: Any, batch: Batch) -> Scored:
    """A Hugging Face model: what its labels mean is told by what it can do.

    One that generates after a source (T5) reads its labels moved by itself; one that continues its input (Llama) is judged on what
    follows each real place; one that scores places otherwise (BERT) on the labels as they stand.
    """
    if inner.config.is_encoder_decoder and inner.can_generate():
        if batch.get("labels") is None:
            raise UsageError(
                f"{type(inner).__name__} is judged by what it answers, and the batch has no labels: labels or loss= would work"
            )
        return by_place(model(**batch).logits, batch["labels"])
    output = model(**{name: value for name, value in batch.items() if name != "labels"})
    return of_output(output, batch, follows=inner.can_generate())


def of_output(output: Any, batch: Batch, follows: bool = True) -> Scored:
    """A model that follows Hugging Face's manner; `follows` says that a place is judged on what comes after it."""
    logits, labels = scores_of(output), batch.get("labels")
    if logits.dim() == 2:
        return by_example(logits, labels)
    if labels is None and follows:
        labels = batch.get("input_ids")
    if labels is None or logits.shape[:2] != labels.shape:
        raise UsageError(f"a batch is judged by labels, one for each place: found {', '.join(batch)}; labels or loss= would work")
    if not follows:
        return by_place(logits, labels)
    # Neither a place that only pads is judged, nor what a padded one would say of the next: a model may answer anything there.
    mask = batch.get("attention_mask")
    return by_place(logits, hidden_where_padded(following(hidden_where_padded(labels, mask)), mask))


def scores_of(output: Any) -> Tensor:
    """The logits of what a model gave."""
    try:
        logits = output.logits
    except AttributeError:
        logits = None
    if not isinstance(logits, Tensor) or logits.dim() not in (2, 3):
        raise UsageError(f"a model is judged by its logits: found {type(output).__name__} without any; loss= would work")
    return logits


def by_example(logits: Float[Tensor, "b c"], labels: Tensor | None) -> Scored:
    """A classifier: one label an example, or one yes or no (0.0, 1.0) for each of its classes."""
    if labels is None:
        raise UsageError("a classifier is judged by its labels, and the batch has none: labels or loss= would work")
    if labels.shape == logits.shape and labels.is_floating_point() and logits.shape[1] > 1:
        nll = binary_cross_entropy_with_logits(logits.float(), labels.float(), reduction="none").sum(1)
    elif labels.is_floating_point() or logits.shape[1] == 1 or labels.shape != logits.shape[:1]:
        found = f"labels {tuple(labels.shape)} of {str(labels.dtype).removeprefix('torch.')} for logits {tuple(logits.shape)}"
        raise UsageError(f"a classifier is judged by one whole number an example: found {found}; loss= would work for a regression")
    else:
        nll = cross_entropy(logits.float(), labels, reduction="none")
    return Scored(nll[:, None], torch.ones_like(nll[:, None], dtype=torch.bool), logits[:, None])


def by_place(logits: Float[Tensor, "b t c"], labels: Int[Tensor, "b t"]) -> Scored:
    """A model that scores every place: the label of each stands at it."""
    nll = cross_entropy(logits.flatten(0, 1).float(), labels.flatten(), reduction="none", ignore_index=IGNORED)
    return Scored(nll.view(labels.shape), labels != IGNORED, logits)


def following(labels: Int[Tensor, "b t"]) -> Int[Tensor, "b t"]:
    """Labels moved one place to the left: what follows each place; nothing follows the last."""
    return torch.cat([labels[:, 1:], labels.new_full((len(labels), 1), IGNORED)], dim=1)


def hidden_where_padded(ids: Int[Tensor, "b t"], attention_mask: Tensor | None) -> Int[Tensor, "b t"]:
    """Tokens as labels, padding not counted."""
    return ids if attention_mask is None else ids.masked_fill(attention_mask == 0, IGNORED)


def model_hash(model: nn.Module) -> str:
    """The sha256 of the names, shapes, types and bytes of a model's tensors."""
    total = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        total.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        total.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().data)
    return total.hexdigest()
