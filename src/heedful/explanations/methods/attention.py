"""Attention itself: what the answer reads of each place behind the last layer, through the weights of the layers.

Where the model looked, not why it decided (Jain & Wallace 2019, arXiv 1902.10186; Wiegreffe & Pinter 2019, arXiv 1908.04626).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.errors import UsageError
from heedful.explanations.methods.method import Method
from heedful.explanations.methods.needs import POOLED, layers
from heedful.explanations.subject import Look, Subject


@final
@dataclass(frozen=True)
class Attention(Method):
    """The weights as they are, of one layer and head counted from 1, or their mean over what is left open.

    A negative `layer` counts from the last.

    >>> Attention(layer=2, head=1).layer
    2
    """

    name: ClassVar[str] = "attention"
    title: ClassVar[str] = "share of attention"
    source: ClassVar[str] = "Bahdanau et al. 2015, arXiv 1409.0473"
    faithful: ClassVar[bool] = False
    layer: int | None = None
    head: int | None = None

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        reason = subject.no_attention or (None if subject.no_layers else layers(subject))
        return None if reason == POOLED else reason

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """What the answer reads of each unit through these layers and heads, or by its pooling where nothing attends."""
        reading, passed = subject.reading.double(), subject.looked().layers
        if not passed:
            return subject.by_unit(reading)
        if any(look.side != "self" for look in passed):
            return subject.by_unit(self.across(passed, reading))
        return subject.by_unit(self.mean(passed, reading))

    def mean(self, passed: Sequence[Look], reading: Float[Tensor, " q"]) -> Float[Tensor, " k"]:
        """Over the layers asked for."""
        return torch.stack([read(look, reading, self.head) for look in chosen(passed, self.layer)]).mean(0)

    def across(self, passed: Sequence[Look], reading: Float[Tensor, " q"]) -> Float[Tensor, " t"]:
        """What is read of the other stream, by the layers that look there, and then of the answer's own."""
        crossing, own = ([look for look in passed if look.side == side] for side in ("cross", "self"))
        return torch.cat([self.mean(crossing, reading), self.mean(own, reading) if own else reading.new_zeros(len(reading))])

    def passes(self, subject: Subject) -> int:
        """One."""
        return 1


def chosen(passed: Sequence[Look], layer: int | None) -> Sequence[Look]:
    """The layer asked for, or all."""
    if layer is None:
        return passed
    if not passed or not 1 <= abs(layer) <= len(passed):
        raise UsageError(f"layer {layer}: the model has {len(passed)} layers that attend; 1 to {len(passed)} would work")
    return [passed[layer - 1 if layer > 0 else layer]]


@torch.no_grad()
def read(look: Look, reading: Float[Tensor, " q"], head: int | None = None) -> Float[Tensor, " k"]:
    """What is read of each key when each query counts as much as `reading` says, over all heads or one; a few queries at a time."""
    if head is not None and not 1 <= head <= look.heads:
        raise UsageError(f"head {head}: {look.name} has {look.heads} heads; 1 to {look.heads} would work")
    found = reading.new_zeros(look.size[1])
    for first, end in look.blocks():
        if bool(reading[first:end].any()):
            weights = look.rows(first, end)
            of = weights.double().mean(0) if head is None else weights[head - 1].double()
            found = found + reading[first:end] @ of
    return found
