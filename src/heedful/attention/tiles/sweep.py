"""What the weights say, read off a tile at a time: once the log-sum-exp of a row is known, so are its weights."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.select import Select
from heedful.attention.summary import SINKS, TOPK, buckets
from heedful.attention.tiles.diagonals import gathered
from heedful.attention.tiles.exponential import exponential_
from heedful.attention.tiles.operands import Operands
from heedful.attention.tiles.slabs import Rectangle, Slab
from heedful.attention.tiles.work import Found, Wanted, Work


class Sweep:
    """Summaries and chosen weights, filled into `found` slab by slab; memory grows with the length, not with its square."""

    def __init__(self, work: Work, wanted: Wanted, found: Found) -> None:
        self.found, self.work = found, work
        b, h, q_len, k_len = work.sizes
        count = min(TOPK, k_len)
        new = found.lse.new_zeros
        if "entropy" in wanted.summaries:
            found.entropy = new(b, h, q_len)
        if "sinks" in wanted.summaries:
            found.sinks = new(b, h, q_len)
        if "columns" in wanted.summaries:
            found.columns = new(b, h, k_len)
        if "topk" in wanted.summaries:
            found.top_weights = new(b, h, q_len, count).sub_(1.0)  # less than any weight
            found.top_keys = torch.arange(count, device=work.q.device).repeat(b, h, q_len, 1)
        self.by_distance = [new(h, max(q_len + k_len - 1, 0)) for _ in range(b)] if "distance" in wanted.summaries else None
        self.chosen = None if wanted.weights is None else Chosen(wanted.weights, work, found)

    def slab(
        self, operands: Operands, slab: Slab, queries: Float[Tensor, "b h n d"], lse: Float[Tensor, "b h n 1"], weights: Tensor | None
    ) -> None:
        """Reads the weights of a slab, computed again from the log-sum-exp unless they are given."""
        shut = lse.masked_fill(lse == float("-inf"), float("inf"))
        for rectangle in slab.rectangles:
            part = weights if weights is not None else exponential_(operands.scores(slab, rectangle, queries)[0].sub_(shut))
            self.read(operands, slab, rectangle, part)

    def read(self, operands: Operands, slab: Slab, rectangle: Rectangle, weights: Float[Tensor, "b h n m"]) -> None:
        """Adds a tile of weights to every summary."""
        found, at = self.found, (operands.b, operands.h, slice(slab.start, slab.stop))
        if self.chosen is not None:
            self.chosen.read(operands, slab, rectangle, weights)
        if found.entropy is not None:
            found.entropy[at] += torch.special.entr(weights, out=operands.take("entropy", *weights.shape)).sum(-1)
        if found.sinks is not None and rectangle.start < SINKS:
            found.sinks[at] += weights[..., : SINKS - rectangle.start].sum(-1)
        if found.columns is not None:
            into, mass = found.columns[operands.b, operands.h], weights.sum(-2)
            if rectangle.index is None:
                into[..., rectangle.start : rectangle.stop] += mass
            else:
                into.index_add_(-1, rectangle.index, mass)
        if found.top_weights is not None and found.top_keys is not None:
            self._top(found.top_weights[at], found.top_keys[at], rectangle, weights)
        for row, into in enumerate(self._distances(operands)):
            gathered(into[operands.h], weights[row : row + 1], slab, rectangle, self.work.sizes[2])

    def _distances(self, operands: Operands) -> list[Tensor]:
        return [] if self.by_distance is None else self.by_distance[operands.b]

    @staticmethod
    def _top(best: Float[Tensor, "b h n t"], keys: Tensor, rectangle: Rectangle, weights: Float[Tensor, "b h n m"]) -> None:
        """The heaviest of those so far and those of the tile."""
        here = weights.topk(min(best.shape[-1], weights.shape[-1]), dim=-1)
        names = here.indices + rectangle.start if rectangle.index is None else rectangle.index[here.indices]
        values, order = torch.cat([here.values, best], -1).topk(best.shape[-1], dim=-1)
        best.copy_(values)
        keys.copy_(torch.cat([names, keys], -1).gather(-1, order))

    def finish(self) -> None:
        """Mass by distance from mass by diagonal, in buckets 0, 1, 2-3, 4-7, ...; no weight where there were too few keys."""
        if self.found.top_weights is not None:
            self.found.top_weights.clamp_(min=0.0)
        if self.chosen is not None and self.chosen.select.average:
            self.found.weights = self.chosen.into.mean(1, keepdim=True)
        if self.by_distance is None:
            return
        _, _, q_len, k_len = self.work.sizes
        far = (torch.arange(self.by_distance[0].shape[1], device=self.work.q.device) - (k_len - 1)).abs()
        bucket = (far.double().log2().floor() + 1).clamp(min=0).long()
        mass = torch.stack(self.by_distance)
        self.found.distance = mass.new_zeros(*mass.shape[:2], buckets(max(q_len, k_len))).index_add_(-1, bucket, mass)


class Chosen:
    """The weights of some heads and some queries, in the order in which they were chosen."""

    def __init__(self, select: Select, work: Work, found: Found) -> None:
        self.select = select
        b, h, q_len, k_len = work.sizes
        heads, queries = (range(n) if some is None else [at % n for at in some] for some, n in ((select.heads, h), (select.queries, q_len)))
        self.heads = torch.tensor(list(heads), dtype=torch.int64)
        self.queries = torch.tensor(list(queries), dtype=torch.int64)
        found.weights = self.into = work.q.new_zeros(b, len(heads), len(queries), k_len)

    def read(self, operands: Operands, slab: Slab, rectangle: Rectangle, weights: Float[Tensor, "b h n m"]) -> None:
        """Copies what was chosen out of a tile."""
        first = operands.first[1]
        hs = ((self.heads >= first) & (self.heads < first + weights.shape[1])).nonzero().flatten()
        qs = ((self.queries >= slab.start) & (self.queries < slab.stop)).nonzero().flatten()
        if not len(hs) or not len(qs):
            return
        part = weights[:, self.heads[hs] - first][:, :, self.queries[qs] - slab.start].to(self.into.dtype)
        keys = torch.arange(rectangle.start, rectangle.stop) if rectangle.index is None else rectangle.index
        sequences = torch.arange(self.into.shape[0])[operands.b]
        on = [x.to(self.into.device) for x in (sequences[:, None, None, None], hs[:, None, None], qs[:, None], keys)]
        self.into.index_put_(tuple(on), part)
