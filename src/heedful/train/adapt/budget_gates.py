"""One model for all budgets: a gate on every head that opens as the budget grows, learnt with budgets drawn at random
(Budgeted Attention Allocation, arXiv 2605.05697).

g_h(b) = σ((b - θ_h) / τ) rises with b whatever θ is, so that the heads of a small budget are among those of a larger one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.manage.objective import Batch
from heedful.manage.plan import DROP, FULL
from heedful.manage.seen import Seen
from heedful.manage.site import Site
from heedful.manage.watch import watched
from heedful.train.adapt.learn import Aim

SHARP: Final = 0.05  # τ: how far beyond its threshold a budget must be for a head to be open
QUICK: Final = 5.0  # how much faster thresholds move than weights
PRICE: Final = 10.0  # of a mean gate that is above the budget


@final
class BudgetGates(nn.Module):
    """A threshold θ for each query head of a model: the budget above which the head works.

    They start evenly spread, so that every budget is met before anything is learnt: by the heads' worth where it is known
    (what is worth most opens first), in turns over the layers otherwise.

    >>> from heedful.manage.watch import sites
    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> gates = BudgetGates(sites(build(DecoderSpec(vocabulary=11, layers=2, width=16, heads=4))))
    >>> [round(gates(share).mean().item(), 2) for share in (0.25, 0.5, 1.0)]
    [0.25, 0.5, 1.0]
    """

    def __init__(self, places: Sequence[Site], worth: Float[Tensor, " heads"] | None = None) -> None:
        super().__init__()
        self.places = tuple(places)
        self.starts = torch.tensor([0, *(site.heads for site in places)]).cumsum(0).tolist()
        turns = torch.cat([torch.arange(site.heads) * len(places) + index for index, site in enumerate(places)])
        rank = (turns.float() if worth is None else -worth).argsort().argsort()
        self.raw = nn.Parameter((rank + 0.5) / self.starts[-1] / QUICK)

    @property
    def threshold(self) -> Float[Tensor, " heads"]:
        """θ of each head, all sites one after the other."""
        return self.raw * QUICK

    def forward(self, budget: float) -> Float[Tensor, " heads"]:
        """How far each head is open, all sites one after the other; at the whole budget every head is."""
        return torch.ones_like(self.threshold) if budget >= 1.0 else torch.sigmoid((budget - self.threshold) / SHARP)

    def of_site(self, values: Float[Tensor, " heads"], site: int) -> Float[Tensor, "h 1 1"]:
        """The gates of one site, to be multiplied with its heads' outputs."""
        return values[self.starts[site] : self.starts[site + 1], None, None]

    @contextmanager
    def standing(self, model: nn.Module, values: Float[Tensor, " heads"]) -> Iterator[None]:
        """Within it every head's output is scaled by its gate."""

        def gated(seen: Seen) -> Tensor:
            out: Tensor = seen.attend()
            return out * self.of_site(values, seen.site.index).to(out.dtype)

        with watched(model, gated):
            yield

    def choices(self, budget: float) -> tuple[tuple[str, ...], ...]:
        """The plan of a budget: the share of the heads with the lowest thresholds works, the others are dropped.

        Heads that share keys count alone; a head of every budget is one of every larger budget.
        """
        if not 0.0 < budget <= 1.0:
            raise UsageError(f"a budget of heads is a share above 0 and at most 1: found {budget:g}")
        number = max(1, round(budget * len(self.threshold)))
        kept = {int(head) for head in self.threshold.detach().argsort(stable=True)[:number]}
        return tuple(
            tuple(FULL if head in kept else DROP for head in range(start, end))
            for start, end in zip(self.starts[:-1], self.starts[1:], strict=True)
        )


def across_budgets(gates: BudgetGates, aim: Aim, least: float, seed: int) -> Aim:
    """The loss under a budget drawn between `least` and 1, plus the price of gates that are open beyond it; at 1 in evaluation.

    Every other draw is rounded to open and shut as the exported plan will be, with the gradient of the smooth gate.
    """
    chance = torch.Generator().manual_seed(seed)

    def drawn(model: nn.Module, batch: Batch) -> Float[Tensor, ""]:
        if not model.training:
            return torch.stack([under(model, batch, share, hard=True) for share in (least, (1 + least) / 2, 1.0)]).mean()
        share = least + (1 - least) * float(torch.rand((), generator=chance))
        return under(model, batch, share, hard=bool(torch.rand((), generator=chance) < 0.5))

    def under(model: nn.Module, batch: Batch, share: float, hard: bool) -> Float[Tensor, ""]:
        smooth = gates(share)
        values = smooth + (opened(gates, share) - smooth).detach() if hard else smooth
        with gates.standing(model, values):
            loss = aim(model, batch)
        return loss + PRICE * torch.relu(smooth.mean() - share).square()

    return drawn


def opened(gates: BudgetGates, share: float) -> Float[Tensor, " heads"]:
    """1 for the heads that the plan of this budget keeps, 0 for the others."""
    return torch.tensor([float(name == FULL) for row in gates.choices(share) for name in row], device=gates.threshold.device)
