"""What whole plans lose together: the divergence of the changed model's predictions, simulated on calibration batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.manage.objective import Batch, Loss, Scored, token_losses
from heedful.manage.options.table import parse
from heedful.manage.simulate import Assignment, simulated
from heedful.manage.still import still

ROWS = 1024  # whose scores are looked at at once
Names = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Trial:
    """A model, the batches on which whole plans are tried, and how: `prefill` where caches evict after so many tokens.

    `tokens`: no more batches than hold so many places are looked at.
    """

    model: nn.Module
    batches: Iterable[Batch]
    prefill: int | None = None
    loss: Loss | None = None
    tokens: int = 16384

    def joint(self, plans: Sequence[Names]) -> list[float]:
        """KL(dense, planned) of each plan in nats a counted place; the rise of the loss where a model gives no scores."""
        sums, places = torch.zeros(len(plans), dtype=torch.float64), 0
        with still(self.model), torch.inference_mode():
            for batch in self.few():
                dense = token_losses(self.model, batch, self.loss)
                for number, names in enumerate(plans):
                    with simulated(self.model, assignment(names), self.prefill):
                        sums[number] += divergence(dense, token_losses(self.model, batch, self.loss), self.prefill)
                places += int(counted(dense, self.prefill).sum())
        return [float(total) / max(places, 1) for total in sums]

    def few(self) -> Iterator[Batch]:
        """The first batches."""
        seen = 0
        for batch in self.batches:
            if seen >= self.tokens:
                return
            yield batch
            seen += max((value.numel() for value in batch.values() if isinstance(value, Tensor) and value.dim() == 2), default=1)


def assignment(names: Names) -> Assignment:
    """Names as options by site and head."""
    parsed = {name: parse(name) for row in names for name in row}
    return {(site, head): parsed[name] for site, row in enumerate(names) for head, name in enumerate(row) if name != "full"}


def counted(scored: Scored, prefill: int | None) -> Bool[Tensor, "b t"]:
    """The places that count: behind the prefill, where there is one."""
    if prefill is None or scored.counts.shape[1] <= prefill:
        return scored.counts
    behind = torch.arange(scored.counts.shape[1], device=scored.counts.device) >= prefill
    return scored.counts & behind


def divergence(dense: Scored, planned: Scored, prefill: int | None = None) -> float:
    """The sum of KL(dense, planned) over the places that count."""
    counts = counted(dense, prefill)
    if dense.logits is None or planned.logits is None:
        return float((planned.nll - dense.nll)[counts].double().sum())
    p, q = dense.logits.flatten(0, 1), planned.logits.flatten(0, 1)
    at, total = counts.flatten().nonzero()[:, 0], 0.0
    for rows in at.split_with_sizes([min(ROWS, len(at) - start) for start in range(0, len(at), ROWS)]):
        total += float(kl(p[rows], q[rows]).double().sum())
    return total


def kl(p: Float[Tensor, "n c"], q: Float[Tensor, "n c"]) -> Float[Tensor, " n"]:
    """KL(softmax p, softmax q) of each row.

    >>> kl(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 0.0]])).item()
    0.0
    """
    log_p, log_q = p.float().log_softmax(-1), q.float().log_softmax(-1)
    return (log_p.exp() * (log_p - log_q)).sum(-1)
