"""One sweep over a batch: a pass forward and one backward, and at every site, as its gradient arrives, every option from what is there.

Nothing of the size of queries times keys is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.manage.estimators import fisher
from heedful.manage.estimators.table import ESTIMATORS
from heedful.manage.interactions import MOST, products
from heedful.manage.objective import Batch, Loss, token_losses
from heedful.manage.options.option import Option, Phase
from heedful.manage.patterns import Gathered, patterns
from heedful.manage.profile import offers
from heedful.manage.seen import Seen
from heedful.manage.site import Site
from heedful.manage.trials import Given, trials
from heedful.manage.watch import watched

Progress = Callable[[int, int], None]
AFTER = 8  # in decoding, an eighth of each sequence is the steps after the prefill


def split(length: int, prefill: int | None) -> int:
    """Where steps begin in a sequence."""
    return min(length - 1, prefill) if prefill is not None else length - max(1, length // AFTER)


@final
@dataclass(eq=False)
class Sweep:
    """The sums of a profile while batches go by."""

    sites: tuple[Site, ...]
    options: tuple[Option, ...]
    phase: Phase
    prefill: int | None
    queries: int
    progress: Progress | None = None
    total: int = 0
    done: int = 0
    tokens: int = 0
    sequences: int = 0
    type: torch.dtype = torch.float32
    sums: dict[str, list[np.ndarray]] = field(default_factory=dict)
    gathered: list[Gathered] = field(default_factory=list)
    products: list[np.ndarray] = field(default_factory=list)

    def __post_init__(self) -> None:
        if sum((site.heads * len(self.options)) ** 2 for site in self.sites) <= MOST:
            self.products = [products([], site.heads, len(self.options)) for site in self.sites]
        shapes = [(site.heads, len(self.options)) for site in self.sites]
        self.sums = {row.name: [np.zeros(shape) for shape in shapes] for row in ESTIMATORS}
        self.gathered = [Gathered() for _ in self.sites]

    def batch(self, model: nn.Module, batch: Batch, loss: Loss | None) -> None:
        """Forward, and backward with the options on the way."""
        calls: list[Call] = []

        def handler(seen: Seen) -> Tensor:
            call = Call.of(seen)
            calls.append(call)
            return call.out

        with torch.inference_mode(False), torch.enable_grad(), watched(model, handler):
            scored = token_losses(model, batch, loss)
            together = scored.counts.shape[1] == 1
            counts = (
                scored.counts if self.phase == "prefill" or together else scored.counts[:, split(scored.counts.shape[1], self.prefill) :]
            )
            if not scored.total.requires_grad:
                raise UsageError("the loss does not depend on what attention computes: one that does, with its history, would work")
            self.tokens, self.sequences = self.tokens + int(counts.sum()), self.sequences + len(counts)
            for call in calls:
                call.out.register_hook(lambda g, call=call: self.site(call, g, together, batch))  # type: ignore[no-untyped-call]
            scored.total.backward()  # type: ignore[no-untyped-call]

    def site(self, call: Call, g: Tensor, together: bool, batch: Batch) -> None:
        """One site, now that the gradient at its output is known."""
        with torch.no_grad():
            given = self.given(call, g, together)
            self.type = given.seen.q.dtype
            index = call.seen.site.index
            self.look(given, index, batch)
            changes: list[tuple[int, Tensor]] = []
            for trial in trials(given, [option for option in self.options[1:] if offers(call.seen.site, option, self.phase)]):
                column = self.options.index(trial.option)
                changes.append((column, fisher.change(trial)))
                for row in ESTIMATORS:
                    self.sums[row.name][index][:, column] += row.sums(trial).double().cpu().numpy()
            if self.products:
                self.products[index] += products(changes, call.seen.site.heads, len(self.options))
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, max(self.total, self.done))

    def given(self, call: Call, g: Tensor, together: bool) -> Given:
        """What is known at a site of the queries that count."""
        seen, out = call.detached, call.out.detach()
        encodes = seen.site.kind == "self" and not seen.site.causal  # all of it is read before the first step
        if self.phase == "prefill" or encodes:
            return Given(seen, out, call.lse, g, together, None, self.queries)
        first = split(seen.q.shape[2], self.prefill)
        place = first if seen.site.kind == "self" else None
        return Given(seen, out[:, :, first:], call.lse[:, :, first:], g[:, :, first:], together, place, self.queries)

    def look(self, given: Given, index: int, batch: Batch) -> None:
        """Where the sampled queries look."""
        real = given.real[:, given.sample.queries - given.first]
        ids = batch.get("input_ids", batch.get("ids")) if given.seen.site.kind == "self" else None
        self.gathered[index].add(patterns(given.sample, real, ids if isinstance(ids, Tensor) else None), int(real.sum()))

    def losses(self) -> dict[str, np.ndarray]:
        """Sums over counted places as means."""
        return {name: np.concatenate(tables) / max(self.tokens, 1) for name, tables in self.sums.items()}

    def interactions(self) -> tuple[np.ndarray, ...]:
        """The sums of products as means."""
        return tuple(table / max(self.tokens, 1) for table in self.products)

    def patterns(self) -> dict[str, np.ndarray]:
        """Means by head, for what was found at every site."""
        means = [gathered.means() for gathered in self.gathered]
        names = [name for name in means[0] if all(name in found for found in means)]
        return {name: joined([found[name] for found in means]) for name in names}


@final
@dataclass(frozen=True, eq=False)
class Call:
    """One call at a site: what was seen, its output as a place where a gradient arrives, and its log-sum-exp."""

    seen: Seen
    out: Tensor
    lse: Tensor

    @staticmethod
    def of(seen: Seen) -> Call:
        """Compute it; where nothing before needs a gradient, the output is where it begins."""
        out, summary = seen.attend(summaries=("lse",))
        return Call(seen, out if out.requires_grad else out.detach().requires_grad_(), summary.lse.detach())

    @property
    def detached(self) -> Seen:
        """The same without its history."""
        options: Any = {name: value.detach() if isinstance(value, Tensor) else value for name, value in self.seen.options.items()}
        return replace(self.seen, q=self.seen.q.detach(), k=self.seen.k.detach(), v=self.seen.v.detach(), options=options)


def joined(tables: Sequence[np.ndarray]) -> np.ndarray:
    """Tables of sites below each other, narrower ones filled with zeros."""
    width = max(table.shape[1] if table.ndim > 1 else 0 for table in tables)
    return np.concatenate([np.pad(table, ((0, 0), (0, width - table.shape[1]))) if width else table for table in tables])
