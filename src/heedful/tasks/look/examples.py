"""What each row is built with here: sizes that show on a sentence, where the table's own are meant for long texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import torch
from torch import nn

from heedful.attention.mechanism import Mechanism, Shape, create
from heedful.tasks.look.vectors import number

T = TypeVar("T")


def third(shape: Shape) -> int:
    """A third of the keys, three at least where there are three."""
    return min(shape.k, max(3, round(shape.k / 3)))


CHOSEN: Final[Mapping[str, Callable[[Shape], Mapping[str, Any]]]] = {
    "window": lambda s: {"size": third(s)},
    "sinks": lambda s: {"n": 1},
    "prefix": lambda s: {"n": third(s)},
    "padding": lambda s: {"lengths": torch.tensor([max(1, s.k - 1)])},
    "strided": lambda s: {"stride": 2 if s.k < 12 else round(s.k**0.5)},
    "dilated": lambda s: {"size": third(s), "step": 2},
    "blocks": lambda s: {"size": third(s)},
    "random": lambda s: {"keys": third(s)},
    "bigbird": lambda s: {"block": 1 if s.k < 32 else s.k // 16, "window": 3, "sinks": 1, "random": 1},
    "topk": lambda s: {"k": third(s)},
}


def built(family: str, table: Sequence[Mechanism[T]], row: Mechanism[T], shape: Shape, seed: int) -> T:
    """The row's mechanism for these sizes; its parameters, if it has any, moved off a starting point where it may do nothing yet."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(number(seed, row.name))
        made = create(family, table, row.name, shape, options(row, shape))
        if isinstance(made, nn.Module):
            stir(made)
    return made


@torch.no_grad()
def stir(module: nn.Module) -> None:
    """Move every parameter by about one over the root of the width it reads."""
    for parameter in module.parameters():
        parameter.add_(parameter.shape[-1] ** -0.5 * torch.randn(parameter.shape))


def options(row: Mechanism[Any], shape: Shape) -> Mapping[str, Any]:
    """The options that differ from what the row would choose."""
    return CHOSEN[row.name](shape) if row.name in CHOSEN else {}


def said(row: Mechanism[Any], shape: Shape) -> str:
    """Those options in words.

    >>> from heedful.attention.masks.table import MASKS
    >>> said(MASKS[1], Shape(1, 1, 8, 6, 6))
    'size 3'
    """
    return ", ".join(f"{name} {value}" for name, value in options(row, shape).items() if isinstance(value, int))
