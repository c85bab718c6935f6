"""One sequence under two models: what each place lost, how far the predictions went apart, and whether they chose alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.manage.hashes import sequence_hashes, sequence_lengths
from heedful.manage.objective import Batch, Loss, Scored, token_losses

Metric = Literal["nll", "error"]
Switch = Callable[[], AbstractContextManager[object]]
CHUNK: Final = 1 << 22  # logits compared at a time


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A sequence's places that count: `lost` is planned less dense, in the metric's unit; `right` what each model got right.

    `kl` is KL(dense ‖ planned) in nats and `agrees` whether both put the same first; both are empty without logits.
    """

    key: str
    place: Int[np.ndarray, " t"]
    dense: Float[np.ndarray, " t"]
    lost: Float[np.ndarray, " t"]
    kl: Float[np.ndarray, " t"]
    agrees: Bool[np.ndarray, " t"]
    length: int


@torch.no_grad()
def pairs(
    model: nn.Module,
    planned: Switch,
    batches: Sequence[Batch],
    *,
    loss: Loss | None = None,
    metric: Metric = "nll",
    start: int = 0,
    dense: Sequence[Scored] | None = None,
) -> Iterator[Pair]:
    """Every sequence of the batches under the model as it is and within `planned()`; places before `start` do not count.

    `dense`: what the model as it is loses, where that is known already (`alone`); scores are then not compared.

    Raises `UsageError` where no place of a batch counts.
    """
    for number, batch in enumerate(batches):
        before = token_losses(model, batch, loss) if dense is None else dense[number]
        with planned():
            after = token_losses(model, batch, loss)
        yield from paired(batch, before, after if dense is None else bare(after, metric), "nll" if dense is not None else metric, start)


@torch.no_grad()
def alone(model: nn.Module, batches: Iterable[Batch], loss: Loss | None = None, metric: Metric = "nll") -> list[Scored]:
    """What the model as it is loses on each batch, by the metric and without scores."""
    return [bare(token_losses(model, batch, loss), metric) for batch in batches]


def bare(scored: Scored, metric: Metric) -> Scored:
    """The metric at each place, as if it were nats, and no scores."""
    return Scored(judged(scored, metric), scored.counts)


def paired(batch: Batch, dense: Scored, thin: Scored, metric: Metric, start: int) -> Iterator[Pair]:
    """One batch, row by row."""
    counts = dense.counts.clone()
    counts[:, :start] = False
    if not bool(counts.any()):
        raise UsageError(f"no place of a batch {tuple(counts.shape)} counts from place {start} on: longer sequences would work")
    before, after = judged(dense, metric), judged(thin, metric)
    for row, (key, tokens) in enumerate(zip(sequence_hashes(batch), sequence_lengths(batch), strict=True)):
        places = counts[row].nonzero()[:, 0]
        if len(places) == 0:
            continue
        first = before[row, places].double().cpu().numpy()
        second = after[row, places].double().cpu().numpy()
        kl, agrees = apart(dense.logits, thin.logits, row, places)
        yield Pair(key, places.cpu().numpy(), first, second - first, kl, agrees, reach(dense.counts[row], tokens))


def reach(counts: Bool[Tensor, " t"], tokens: int) -> int:
    """How long a sequence is: up to its last place that counts, or, where it is judged as a whole, all its tokens."""
    return int(counts.nonzero()[-1]) + 1 if len(counts) > 1 else tokens


def judged(scored: Scored, metric: Metric) -> Float[Tensor, "b t"]:
    """What is to be kept low at each place: the nats of the true answer, or whether another was put first."""
    if metric == "nll":
        return scored.nll
    if scored.logits is None:
        raise UsageError("metric='error' asks which answer came first, and a loss= of one's own gives none: metric='nll' would work")
    best = scored.logits.float().logsumexp(-1) - scored.logits.float().amax(-1)
    return (scored.nll > best + 1e-5).float()


def apart(dense: Tensor | None, thin: Tensor | None, row: int, places: Int[Tensor, " t"]) -> tuple[np.ndarray, np.ndarray]:
    """KL and agreement at the places of one row, a piece at a time; empty without logits."""
    if dense is None or thin is None:
        return np.empty(0), np.empty(0, dtype=bool)
    kl, agrees = [], []
    for piece in torch.split(places, max(1, CHUNK // dense.shape[-1])):
        p, q = (logits[row, piece].float().log_softmax(-1) for logits in (dense, thin))
        kl.append((p.exp() * (p - q)).sum(-1).clamp_min(0.0))
        agrees.append(p.argmax(-1) == q.argmax(-1))
    return torch.cat(kl).double().cpu().numpy(), torch.cat(agrees).cpu().numpy()
