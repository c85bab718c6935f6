"""The operands of one share of the work: heads of a group side by side, in the type that is computed in."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.tiles.diagonals import spread
from heedful.attention.tiles.dropped import kept
from heedful.attention.tiles.scratch import SCRATCH
from heedful.attention.tiles.slabs import Plan, Rectangle, Share, Slab
from heedful.attention.tiles.work import Work


class Operands:
    """q as it is; k and v as (b g, k, d): query heads of a group stand below each other, so its keys are never copied."""

    def __init__(self, work: Work, plan: Plan, share: Share) -> None:
        r = work.q.shape[1] // work.k.shape[1]
        self.b = slice(None) if share.b is None else slice(share.b, share.b + 1)
        self.h = slice(None) if share.h is None else slice(share.h, share.h + 1)
        self.g = slice(None) if share.h is None else slice(share.h // r, share.h // r + 1)
        self.work, self.plan, self.first = work, plan, (share.b or 0, share.h or 0)
        self.q, k, v = work.q[self.b, self.h], work.k[self.b, self.g], work.v[self.b, self.g]
        self.wide = torch.promote_types(work.q.dtype, torch.float32)
        self.k, self.v = k.to(self.wide).flatten(0, 1), v.to(self.wide).flatten(0, 1)
        self.batch, self.heads = self.q.shape[:2]
        factor = work.factor
        self.factor = factor.to(self.wide)[self.h, None, None] if isinstance(factor, Tensor) else factor
        self.relative = None if work.relative is None else work.relative[self.h if work.relative.shape[0] > 1 else slice(None)]

    def take(self, name: str, *shape: int) -> Tensor:
        """Scratch memory in the type that is computed in."""
        return SCRATCH.take(name, shape, self.k)

    def grouped(self, x: Float[Tensor, "b h n m"]) -> Float[Tensor, "bg rn m"]:
        """The heads of a group below each other; a view of contiguous memory."""
        return x.view(self.k.shape[0], -1, x.shape[-1])

    def queries(self, slab: Slab) -> Float[Tensor, "b h n d"]:
        """The slab's queries times the factor."""
        rows = self.q[:, :, slab.start : slab.stop]
        into = self.take("queries", *rows.shape).copy_(rows)
        return into if isinstance(self.factor, float) and self.factor == 1.0 else into.mul_(self.factor)

    def rows(self, name: str, x: Float[Tensor, "b h q m"], slab: Slab) -> Float[Tensor, "b h n m"]:
        """The slab's rows of any tensor like the output, contiguous and in the type that is computed in."""
        part = x[self.b, self.h, slab.start : slab.stop]
        return self.take(name, *part.shape).copy_(part)

    def columns(self, name: str, x: Float[Tensor, "bg k m"], rectangle: Rectangle) -> Float[Tensor, "bg n m"]:
        """The rectangle's keys or values: a view where they are one run."""
        if rectangle.index is None:
            return x[:, rectangle.start : rectangle.stop]
        into = self.take(name, x.shape[0], rectangle.width, x.shape[2])
        return torch.index_select(x, 1, rectangle.index, out=into)

    def scores(
        self, slab: Slab, rectangle: Rectangle, queries: Float[Tensor, "b h n d"], slopes: bool = False
    ) -> tuple[Float[Tensor, "b h n m"], Float[Tensor, "b h n m"] | None]:
        """What the softmax is taken of, -inf where nothing may be attended to; and the softcap's slope if it is asked for."""
        into = self.take("scores", self.batch, self.heads, slab.stop - slab.start, rectangle.width)
        torch.bmm(self.grouped(queries), self.columns("keys", self.k, rectangle).mT, out=self.grouped(into))
        slope = self._capped(into, slopes)
        if self.work.bias is not None:
            into.add_(self.tile(self.work.bias, slab, rectangle))
        if self.relative is not None:
            into.add_(spread(self.relative, slab, rectangle, self.work.sizes[2]))
        for patch in rectangle.patches:
            into[..., patch.start : patch.stop].add_(self.plan.patch(patch, into.shape[2], self.wide))
        return into, slope

    def _capped(self, scores: Float[Tensor, "b h n m"], slopes: bool) -> Float[Tensor, "b h n m"] | None:
        if self.work.softcap is None:
            return None
        scores.div_(self.work.softcap).tanh_()
        slope = torch.square(scores, out=self.take("slopes", *scores.shape)).neg_().add_(1.0) if slopes else None
        scores.mul_(self.work.softcap)
        return slope

    def tile(self, full: Float[Tensor, "#b #h #q #k"], slab: Slab, rectangle: Rectangle) -> Float[Tensor, "#b #h #n #m"]:
        """The part of a tensor that broadcasts to (b, h, q, k) for these queries and keys; a view where the keys are one run."""
        part = full[
            self.b if full.shape[0] > 1 else slice(None),
            self.h if full.shape[1] > 1 else slice(None),
            slice(slab.start, slab.stop) if full.shape[2] > 1 else slice(None),
        ]
        if full.shape[3] == 1:
            return part
        return part[..., rectangle.start : rectangle.stop] if rectangle.index is None else part.index_select(3, rectangle.index)

    def used(
        self, slab: Slab, rectangle: Rectangle, weights: Float[Tensor, "b h n m"]
    ) -> tuple[Float[Tensor, "b h n m"], Float[Tensor, "b h n m"] | None]:
        """The weights after dropout, and what dropout multiplied them by; the weights themselves where there is none."""
        if not self.work.dropout:
            return weights, None
        keep = kept(self.work, self.first, (self.batch, self.heads), slab, rectangle, self.k)
        return torch.mul(weights, keep, out=self.take("used", *weights.shape)), keep
