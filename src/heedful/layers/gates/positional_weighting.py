"""Learnable positional weighting (LPW): each place has a weight, from where it stands and what stands there.

The source article writes W_w W_p X + W_x X with static matrices, which collapse to one linear map; here p depends on the
place and on x. Compare learned positional gates in Liu 2021, arXiv 2105.08050, eq. 2.
"""

from __future__ import annotations

from typing import final

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.errors import ShapeError, UsageError
from heedful.layers.gates.gate import GateState, SelfGate
from heedful.layers.gates.layout import Layout, Places
from heedful.layers.gates.pool import Kept


@final
class PositionalWeighting(SelfGate):
    """y = (p ⊙ x) W_w + x W_x with p = x w_p + e[position], one weight for each place.

    >>> gate = PositionalWeighting(32, length=100)
    >>> x = torch.randn(2, 7, 32)
    >>> gate(x).shape, gate.gate(x).shape
    (torch.Size([2, 7, 32]), torch.Size([2, 7, 1]))
    >>> torch.equal(gate(x), x)                                # the starting point: p = 0 and W_x = I
    True
    >>> later, state = gate.step(x, GateState(seen=50))        # the first token stands at position 50
    >>> state.seen
    57
    >>> images = PositionalWeighting(3, length=(28, 30), layout="2d")
    >>> images(torch.randn(2, 3, 28, 28)).shape
    torch.Size([2, 3, 28, 28])

    Spelt out for one sequence (on images e = row[i] + column[j]):

        p[t] = x[t] @ w_p + e[t]
        y[t] = (p[t] * x[t]) @ W_w + x[t] @ W_x

    `gate` gives p: any real number, 0 at the start. A place reads itself alone, so the gate is causal whatever
    `causal` says. Positions count from the first real place: padding on the left does not shift them.

    Args:
        dim: channels c, or width m of a stream.
        length: the longest sequence, padding included; (height, width) for images.
        layout, causal: see `Gate`.

    Raises:
        ShapeError: a place beyond `length`; features or a mask of another shape.
        UsageError: an unknown layout, or a length that does not fit it.
    """

    pools = False

    def __init__(self, dim: int, length: int | tuple[int, int], *, layout: Layout = "stream", causal: bool = False) -> None:
        super().__init__(dim, layout, causal)
        sizes = length if isinstance(length, tuple) else (length,)
        if len(sizes) != (2 if layout == "2d" else 1) or min(sizes) < 1:
            found = "(height, width)" if layout == "2d" else "one length"
            raise UsageError(f"PositionalWeighting for layout {layout!r} takes {found} of at least 1, found length={length}")
        self.sizes = sizes
        self.w_p = nn.Parameter(torch.empty(dim))
        self.tables = nn.ParameterList([nn.Parameter(torch.empty(size)) for size in sizes])
        self.w_w = nn.Parameter(torch.empty(dim, dim))
        self.w_x = nn.Parameter(torch.empty(dim, dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to the starting point."""
        nn.init.zeros_(self.w_p)
        for table in self.tables:
            nn.init.zeros_(table)
        nn.init.xavier_uniform_(self.w_w)
        nn.init.eye_(self.w_x)

    def values(self, p: Places, state: GateState) -> tuple[Float[Tensor, "b n 1"], Kept]:
        """p; kept is the padding before the first real place of each row, where there is any."""
        self._check(p.grid, state.seen)
        content = p.x @ self.w_p[:, None]
        if self.layout == "2d":
            rows, columns = (table[:size] for table, size in zip(self.tables, p.grid, strict=True))
            return content + rearrange(rows[:, None] + columns, "h w -> (h w) 1"), ()
        where, kept = positions(p, state)
        return content + self.tables[0][where].unsqueeze(-1), kept

    def gated(self, p: Places, values: Float[Tensor, "b n 1"], state: GateState) -> Float[Tensor, "b n c"]:
        """(p ⊙ x) W_w + x W_x."""
        return (values * p.x) @ self.w_w + p.x @ self.w_x

    def _check(self, grid: tuple[int, ...], seen: int) -> None:
        for places, size in zip(grid, self.sizes, strict=True):
            if seen + places > size:
                raise ShapeError(
                    f"PositionalWeighting knows {size} places along an axis, found {seen + places}: "
                    f"build it with a greater length (here {self.sizes}), or give it less"
                )

    def extra_repr(self) -> str:
        """What `print(model)` shows."""
        return f"{super().extra_repr()}, length={self.sizes}"


def positions(p: Places, state: GateState) -> tuple[Int[Tensor, "*b n"], Kept]:
    """Where each place stands, counted from the first real one, and the padding before it (b,) for the next piece."""
    raw = torch.arange(state.seen, state.seen + p.x.shape[1], device=p.x.device)
    if p.real is None:
        return (raw - state.kept[0][:, None], state.kept) if state.kept else (raw, ())
    before = state.kept[0] if state.kept else torch.zeros_like(p.real[:, 0], dtype=torch.long)
    started = (before < state.seen)[:, None] | (p.real.cumsum(dim=1) > 0)
    before = before + (~started).sum(dim=1)
    return (raw - before[:, None]).clamp(min=0), (before,)
