"""Where things stand, so that every order and direction is clear: places drawn at random until none of them is close.

Two centres differ by `GAP` of the side at least from left to right, the larger of their two distances is `CLEAR` times the smaller, and
their squares overlap by `OVER` of a side at most.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from heedful.errors import DataError

GAP: Final = 0.06
CLEAR: Final = 1.25
OVER: Final = 0.2
DRAWN: Final = 4096  # layouts at once
ROUNDS: Final = 5000
HOPELESS: Final = 20  # rounds without one that is clear


class Layouts(NamedTuple):
    """For each scene the side of every thing in pixels, and the left and top pixel of its square; in order from left to right."""

    sides: Int[Tensor, "n items"]
    left: Int[Tensor, "n items"]
    top: Int[Tensor, "n items"]


def layouts(count: int, items: int, sides: Int[Tensor, " k"], size: int, generator: torch.Generator) -> Layouts:
    """So many clear layouts of so many things, each of one of the `sides`, on a square of `size` pixels.

    >>> found = layouts(5, 3, torch.tensor([8, 10]), 40, torch.Generator().manual_seed(0))
    >>> found.left.shape, bool((found.left.diff(dim=1) > -3).all())
    (torch.Size([5, 3]), True)

    Raises `DataError` where the things do not fit: hardly a layout of thousands is clear.
    """
    kept = [Layouts(*(torch.zeros(0, items, dtype=torch.long) for _ in range(3)))]
    have = 0
    while have < count and len(kept) <= ROUNDS and (have or len(kept) <= HOPELESS):
        found = candidates(items, sides, size, generator)
        kept.append(Layouts(*(part[clear(found, size)] for part in found)))
        have += len(kept[-1].sides)
    if have < count:
        raise DataError(
            f"{items} things of {int(sides.min())} to {int(sides.max())} pixels find no clear places in scenes of {size}: "
            "a larger data.size, or a smaller data.larger, would work"
        )
    return Layouts(*(torch.cat(parts)[:count] for parts in zip(*kept, strict=True)))


def candidates(items: int, sides: Int[Tensor, " k"], size: int, generator: torch.Generator) -> Layouts:
    """Places anywhere, in order from left to right by their centres."""
    drawn = sides[torch.randint(len(sides), (DRAWN, items), generator=generator)]
    left, top = ((torch.rand(DRAWN, items, generator=generator) * (size - drawn + 1)).long() for _ in range(2))
    order = (2 * left + drawn).argsort(dim=1)
    return Layouts(*(part.gather(1, order) for part in (drawn, left, top)))


def clear(found: Layouts, size: int) -> Bool[Tensor, " n"]:
    """Which layouts leave no doubt."""
    x, y = (2 * found.left + found.sides) / 2, (2 * found.top + found.sides) / 2
    fine = torch.ones(len(x), dtype=torch.bool)
    for one in range(x.shape[1]):
        for other in range(one + 1, x.shape[1]):
            across, down = (x[:, other] - x[:, one]).abs(), (y[:, other] - y[:, one]).abs()
            most, least = torch.maximum(across, down), torch.minimum(across, down)
            touching = (found.sides[:, one] + found.sides[:, other]) / 2
            fine &= (across >= GAP * size) & (most >= CLEAR * least) & (most >= (1.0 - OVER) * touching)
    return fine
