"""A mask as a picture: text for a terminal, SVG for a page, both from the shares of a grid of cells."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import pad

CELLS = 64
SHADES = "□░▒▓■"


def shares(rows: Callable[[int, int], Tensor], q_len: int, k_len: int, cells: int = CELLS) -> list[list[float]]:
    """The mean of each cell of a grid of at most `cells` by `cells`; `rows(start, stop)` gives booleans (stop - start, k)."""
    down, across = edges(q_len, cells), edges(k_len, cells)
    bounds = torch.tensor(across)
    grid = []
    for start, stop in pairwise(down):
        line = rows(start, stop).expand(stop - start, k_len).double().mean(0).cpu()
        sums = pad(line.cumsum(0), (1, 0))[bounds]
        grid.append([round(cell, 9) for cell in (sums.diff() / bounds.diff()).tolist()])
    return grid


def edges(length: int, cells: int) -> list[int]:
    """The bounds of at most `cells` nearly equal pieces of `length`."""
    pieces = min(length, cells)
    return [length * i // pieces for i in range(pieces + 1)] if pieces else [0]


def text(grid: list[list[float]]) -> str:
    """One character a cell: empty □, full ■, three shades between where a cell holds many pairs."""
    return "\n".join("".join(shade(cell) for cell in line) for line in grid)


def shade(cell: float) -> str:
    """□ for exactly none, ■ for exactly all."""
    inner = 1 + min(int(cell * (len(SHADES) - 2)), len(SHADES) - 3)
    return SHADES[0] if cell <= 0 else SHADES[-1] if cell >= 1 else SHADES[inner]


def svg(grid: list[list[float]], title: str, side: int = 8) -> str:
    """Squares of `side` pixels on a pale ground, as opaque as their share; neighbours of one shade are one rectangle."""
    width, height = side * max(map(len, grid), default=0), side * len(grid)
    bars = [bar(x, y, run, cell, side) for y, line in enumerate(grid) for x, run, cell in runs(line) if cell > 0]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">'
        f'<title>{escape(title)}</title><rect width="100%" height="100%" fill="#e8edf2"/>{"".join(bars)}</svg>'
    )


def bar(x: int, y: int, run: int, cell: float, side: int) -> str:
    """One rectangle, with a pixel of ground under it."""
    opacity = "" if cell >= 1 else f' fill-opacity="{cell:.3g}"'
    return f'<rect x="{x * side}" y="{y * side}" width="{run * side}" height="{side - 1}" fill="#1f5fa8"{opacity}/>'


def runs(line: list[float]) -> list[tuple[int, int, float]]:
    """(start, length, share) of each run of equal cells."""
    starts = [i for i, cell in enumerate(line) if i == 0 or cell != line[i - 1]]
    return [(start, stop - start, line[start]) for start, stop in zip(starts, [*starts[1:], len(line)], strict=True)]
