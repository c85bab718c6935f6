"""Exact: the model run with one option at one head, once for each pair of them; slow, and what the estimators are held to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from torch import Tensor, nn

from heedful.manage.objective import Batch, Loss, Scored, token_losses
from heedful.manage.options.option import Option
from heedful.manage.simulate import Assignment, simulated
from heedful.manage.watch import sites

Table = Float64[np.ndarray, "heads options"]


@final
@dataclass(frozen=True, slots=True, eq=False)
class Ablated:
    """Nats a counted token: the KL from the whole model's predictions, and how much more the truth costs."""

    kl: Table
    nll: Table


def exact(
    model: nn.Module,
    batches: Iterable[Batch],
    options: Sequence[Option],
    *,
    heads: Sequence[tuple[int, int]] | None = None,
    loss: Loss | None = None,
    prefill: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Ablated:
    """Every option alone at every head, or at the (site, head) given; the model should be in evaluation.

    With `prefill`, only places from there on are counted.
    """
    held = list(batches)
    rows = [(site.index, head) for site in sites(model) for head in range(site.heads)] if heads is None else list(heads)
    kl, nll = np.zeros((len(rows), len(options))), np.zeros((len(rows), len(options)))
    whole = [scored(model, batch, {}, loss, prefill) for batch in held]
    for row, place in enumerate(rows):
        for column, option in enumerate(options):
            if option.word != "full":
                kl[row, column], nll[row, column] = joint(model, held, {place: option}, whole, loss, prefill)
            if progress is not None:
                progress(row * len(options) + column + 1, len(rows) * len(options))
    return Ablated(kl, nll)


def joint(
    model: nn.Module,
    batches: Sequence[Batch],
    assignment: Assignment,
    whole: Sequence[Scored],
    loss: Loss | None = None,
    prefill: int | None = None,
) -> tuple[float, float]:
    """KL and the difference of NLL, in nats a counted token, of all of an assignment together against the whole model's `scored`."""
    kl = nll = 0.0
    number = 0
    for batch, before in zip(batches, whole, strict=True):
        after = scored(model, batch, assignment, loss, prefill)
        counts = counted(before, prefill)
        number += int(counts.sum())
        nll += float(torch.where(counts, after.nll.double() - before.nll.double(), 0.0).sum())
        if before.logits is not None and after.logits is not None:
            kl += float(divergence(before.logits[counts], after.logits[counts]))
    return kl / max(number, 1), nll / max(number, 1)


def scored(model: nn.Module, batch: Batch, assignment: Assignment, loss: Loss | None, prefill: int | None) -> Scored:
    """The losses of a batch with an assignment."""
    with torch.no_grad(), simulated(model, assignment, prefill):
        return token_losses(model, batch, loss)


def counted(found: Scored, prefill: int | None) -> Bool[Tensor, "b t"]:
    """The places that count: those of the steps after a prefill, where there is one."""
    if prefill is None or found.counts.shape[1] == 1:
        return found.counts
    return found.counts & (torch.arange(found.counts.shape[1], device=found.counts.device) >= prefill)


def divergence(before: Float[Tensor, "n c"], after: Float[Tensor, "n c"]) -> Float[Tensor, ""]:
    """The sum over places of KL(before || after)."""
    p, q = before.double().log_softmax(-1), after.double().log_softmax(-1)
    return (p.exp() * (p - q)).sum()
