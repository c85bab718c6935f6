"""An attention matrix in a terminal: two columns a cell, shaded blocks that read without colour too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from jaxtyping import Float
from rich.cells import cell_len, set_cell_size
from rich.text import Text
from torch import Tensor

from heedful.explanations.shade import levels
from heedful.explanations.tokens import thin, visible

SHADES: Final = " ░▒▓█"
STYLE: Final = "rgb(70,140,215)"  # legible on dark and on light
LABEL: Final = 12  # columns for a token


def blocks(weights: Float[Tensor, "q k"], queries: Sequence[str], keys: Sequence[str], width: int = 80) -> Text:
    """Queries down, keys across, at most `width` columns; keys are named where they fit in two columns, else numbered.

    >>> import torch
    >>> print(blocks(torch.tensor([[1.0, 0.5], [0.0, 0.2]]), ["one", "two"], ["a", "b"]))
        a b
    one ██▓▓
    two   ░░
    """
    names = [visible(token) for token in queries]
    label = min(LABEL, max(cell_len(name) for name in names))
    thinned = thin(weights, names, [visible(token) for token in keys], max(8, (width - label - 1) // 2))
    shown = levels(thinned.matrix)
    out = Text(" " * (label + 1) + "".join(_heads(thinned.keys)).rstrip(), style="dim")
    for name, row in zip(thinned.queries, shown.bytes.tolist(), strict=True):
        cells = "".join(2 * SHADES[_shade(level)] for level in row).rstrip()
        out.append("\n" + _fit(name, label) + " ", style="not dim").append(cells, style=f"not dim {STYLE}")
    if thinned.step > 1:
        out.append(f"\n(each cell is the largest of {thinned.step} × {thinned.step})")
    return out


def _heads(keys: Sequence[str]) -> list[str]:
    """Two columns for each key: its name, or its number modulo a hundred where names are too wide."""
    if all(cell_len(key) <= 2 for key in keys):
        return [set_cell_size(key, 2) for key in keys]
    return [f"{(i + 1) % 100:<2}" for i in range(len(keys))]


def _shade(level: int) -> int:
    return 0 if level < 8 else min(len(SHADES) - 1, 1 + level * (len(SHADES) - 1) // 256)


def _fit(name: str, width: int) -> str:
    return set_cell_size(name, width) if cell_len(name) <= width else set_cell_size(name, width - 1) + "…"
