"""Attention whose heads learn how far they look (Sukhbaatar et al. 2019, arXiv 1905.07799, eq. 4-6)."""

from __future__ import annotations

from typing import Final, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.attention.masks.mask import Mask
from heedful.attention.positions.position import Position
from heedful.errors import ShapeError, UsageError
from heedful.layers.span.within import Within

GRAIN: Final = 32  # tokens that windows are rounded up to, so that schedules are kept while spans move a little
NOTHING: Final = -1e4  # the logarithm of a weight beyond the span


@final
class AdaptiveSpan(Position):
    """a(x) = m(x) exp(s) / sum of m exp(s) with m(x) = clip((R + z - x) / R, 0, 1) at distance x, one z for each head.

    >>> import torch
    >>> span = AdaptiveSpan(heads=2, longest=64, ramp=16, start=0.25)
    >>> span.tokens().tolist()
    [16.0, 16.0]
    >>> span.bias(2, torch.tensor([40]), torch.tensor([40, 16, 0])).exp()[0, 0].tolist()
    [1.0, 0.5, 0.0]
    >>> span.reach().sizes
    (32, 32)

    z is learned as a share of `longest`, from `start` on; the logarithm of m stands in the scores beside whatever `inner` adds. What
    lies beyond z + R has no weight, and `reach` says so as a mask: a window for each head, whose blocks alone are computed.

    Args:
        heads: query heads.
        longest: tokens that a span of 1 stands for.
        ramp: R, tokens over which a weight falls from whole to nothing.
        start: z at the start, as a share of `longest`.
        inner: the position scheme that is used besides.

    Raises:
        UsageError: a start outside [0, 1], a ramp or a length below 1.
    """

    name = "adaptive_span"
    adds_bias = True

    def __init__(self, heads: int, longest: int, ramp: int = 32, start: float = 0.25, inner: Position | None = None) -> None:
        super().__init__()
        if not 0.0 <= start <= 1.0 or ramp < 1 or longest < 1:
            raise UsageError(f"AdaptiveSpan starts within [0, 1] with a ramp and a length of 1 or more: found {start}, {ramp}, {longest}")
        self.heads, self.longest, self.ramp, self.start = heads, longest, ramp, start
        self.inner = inner
        self.span = nn.Parameter(torch.full((heads,), float(start)))

    @property
    def shifts(self) -> bool:  # type: ignore[override]
        """A rule of distance, if the scheme besides is none or one too."""
        return self.inner is None or self.inner.shifts or not self.inner.adds_bias

    def tokens(self) -> Float[Tensor, " h"]:
        """z of each head, in tokens."""
        return self.span.clamp(0.0, 1.0) * self.longest

    def rotate(self, x: Float[Tensor, "b n t d"], positions: Int[Tensor, " t"]) -> Float[Tensor, "b n t d"]:
        """As the scheme besides."""
        return x if self.inner is None else self.inner.rotate(x, positions)

    def bias(self, heads: int, q: Int[Tensor, " q"], k: Int[Tensor, " k"]) -> Float[Tensor, "h q k"]:
        """The logarithm of m, and what the scheme besides adds."""
        if heads != self.heads:
            raise ShapeError(f"AdaptiveSpan(heads={self.heads}) was asked for the bias of {heads} heads: build it with heads={heads}")
        distance = (k[None, :] - q[:, None]).abs()
        soft = (self.ramp + self.tokens()[:, None, None] - distance) / self.ramp
        mine = torch.where(soft > 0, soft.clamp(min=1e-6, max=1.0).log(), NOTHING)
        other = None if self.inner is None else self.inner.bias(heads, q, k)
        return mine if other is None else mine + other

    def spend(self) -> Float[Tensor, ""]:
        """The share of the pairs of a whole context that heads compute, on average, with its gradient; the same on one side as on both."""
        share = (self.span.clamp(0.0, 1.0) + self.ramp / self.longest).clamp(max=1.0)
        return (1.0 - (1.0 - share) ** 2).mean()

    def windows(self) -> tuple[int, ...]:
        """How far each head looks at most, counting its own place: z + R."""
        return tuple(int(size) for size in (self.tokens().detach() + self.ramp).ceil().long().tolist())

    def reach(self) -> Mask | None:
        """The windows, rounded up; None where every head sees all."""
        sizes = tuple(-(-size // GRAIN) * GRAIN for size in self.windows())
        return None if min(sizes) >= self.longest else Within(sizes)

    def extra_repr(self) -> str:
        """What tells one from another."""
        return f"heads={self.heads}, longest={self.longest}, ramp={self.ramp}, start={self.start}"
