"""Rotary position embedding: scores depend on how far apart query and key are (Su et al. 2021, 2104.09864)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.attention.positions.position import Position
from heedful.attention.positions.rotary import turn
from heedful.attention.positions.scaling import Scaling, as_scaling
from heedful.errors import ShapeError, UsageError


class RoPE(Position):
    """Turns pair i of the features at position p by p · base^(-2i/d).

    Nothing is stored: cosines and sines are made at each call from the positions, on their device, in float32 (float64
    for float64), so no move, cast, compilation or export can leave them stale.

    >>> import torch
    >>> rope = RoPE()
    >>> rope.rotate(torch.ones(1, 1, 2, 2), torch.tensor([0, 1]))
    tensor([[[[ 1.0000,  1.0000],
              [-0.3012,  1.3818]]]])

    Args:
        d: width of a head; taken from what is rotated unless given.
        base: the slowest pair turns once in about 2π · base positions.
        fraction: share of the width, from the front, that is rotated; the rest passes untouched.
        interleaved: pair feature 2i with 2i + 1 (GPT-J) rather than i with i + d/2 (NeoX, Llama).
        scaling: stretches the embedding to longer texts: a factor (linear), a `Scaling`, or a mapping such as
            {"name": "llama3", "factor": 8.0, "original_length": 8192}.

    Raises:
        UsageError: `fraction` is not in (0, 1], `base` not above 1, or `scaling` is unknown.
        ShapeError: the rotated width is odd or zero, or x has another width than d.
    """

    name = "rope"

    def __init__(
        self,
        d: int | None = None,
        base: float = 10000.0,
        fraction: float = 1.0,
        interleaved: bool = False,
        scaling: Scaling | Mapping[str, Any] | float | None = None,
    ) -> None:
        super().__init__()
        if not 0.0 < fraction <= 1.0:
            raise UsageError(f"RoPE was asked to rotate the fraction {fraction} of a head: above 0 and up to 1 would work")
        if base <= 1.0:
            raise UsageError(f"RoPE was given base={base}: a number above 1 would work, 10000 is usual")
        self.d, self.base, self.fraction, self.interleaved = d, base, fraction, interleaved
        self.scaling = as_scaling(scaling)
        if d is not None:
            self._rotated(d)

    def rotate(self, x: Float[Tensor, "b n t d"], positions: Int[Tensor, " t"]) -> Float[Tensor, "b n t d"]:
        """Queries or keys turned to their positions."""
        cos, sin = self.angles(positions, x.shape[-1], torch.promote_types(x.dtype, torch.float32))
        return turn(x, cos, sin, interleaved=self.interleaved)

    def angles(self, positions: Int[Tensor, " t"], d: int, dtype: torch.dtype) -> tuple[Float[Tensor, "t f"], Float[Tensor, "t f"]]:
        """Cosine and sine of every pair's angle at every position, amplitude included."""
        angle = positions.to(dtype)[:, None] * self.frequencies(d, positions.device, dtype)
        amplitude = 1.0 if self.scaling is None else self.scaling.amplitude
        if amplitude == 1.0:
            return angle.cos(), angle.sin()
        return angle.cos() * amplitude, angle.sin() * amplitude

    def frequencies(self, d: int, device: torch.device, dtype: torch.dtype) -> Float[Tensor, " f"]:
        """Radians a position for each pair, fastest first."""
        width = self._rotated(d)
        power = torch.arange(0, width, 2, device=device).to(dtype) / width
        plain = 1.0 / self.base**power
        return plain if self.scaling is None else self.scaling(plain, self.base)

    def _rotated(self, d: int) -> int:
        width = int(d * self.fraction)
        if self.d is not None and d != self.d:
            raise ShapeError(f"RoPE(d={self.d}) was given heads of width {d}: give it the same width, or leave d out")
        if width % 2 or width == 0:
            raise ShapeError(
                f"RoPE turns pairs, but {width} features of a head of width {d} (fraction {self.fraction}) are to be rotated: "
                f"an even number above 0 would work"
            )
        return width

    def extra_repr(self) -> str:
        """What tells one from another."""
        return f"d={self.d}, base={self.base}, fraction={self.fraction}, interleaved={self.interleaved}, scaling={self.scaling}"
