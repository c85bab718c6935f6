"""A text that shows where each of its tokens looked: choose one, and what it read is shaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.errors import ShapeError
from heedful.explanations.markup import Markup, element, join
from heedful.explanations.parts.heatmap import readout
from heedful.explanations.tokens import visible

MOST: Final = 12  # tokens shaded for each one


def text_pane(tokens: Sequence[str], weights: Float[Tensor, "n t"], start: int, title: str) -> Markup:
    """`tokens` with the last n of them, from `start` on, made to show where they looked.

    Row i of `weights` belongs to token start + i, over all t tokens; its 12 heaviest are kept.

    >>> import torch
    >>> 'data-looks="0:75 1:25"' in text_pane(["a", "b", "c"], torch.tensor([[0.75, 0.25, 0.0]]), 2, "made")
    True
    """
    wanted = (len(tokens) - start, len(tokens))
    if tuple(weights.shape) != wanted:
        raise ShapeError(f"{len(tokens)} tokens of which {start} are given need weights {wanted}: found {tuple(weights.shape)}")
    given = [element("span", {"data-i": i}, *body(token)) for i, token in enumerate(tokens[:start])]
    made = [_made(token, start + i, weights[i], first=i == 0) for i, token in enumerate(tokens[start:])]
    text = element("div", {"class": "tokens", "role": "group", "aria-label": title}, join(*given, *made))
    return element("figure", {"class": "text"}, element("figcaption", {}, title), text, readout())


def _made(token: str, place: int, row: Float[Tensor, " t"], first: bool) -> Markup:
    best = torch.topk(row, min(MOST, row.numel()))
    looks = [(int(i), round(100 * float(w))) for w, i in zip(best.values, best.indices, strict=True)]
    shown = " ".join(f"{i}:{percent}" for i, percent in looks if percent > 0)
    attributes = {"class": "made", "data-i": place, "data-looks": shown, "tabindex": 0 if first else -1, "role": "button"}
    return element("span", {**attributes, "aria-label": visible(token)}, *body(token))


def body(token: str) -> list[str]:
    """A line break is shown as its sign, and breaks the line; spaces stand as spaces, also where a tokenizer gave them a sign."""
    lines = token.replace("␣", " ").replace("↵", "\n").split("\n")
    sign = join(element("i", {}, "↵"), "\n")
    return [part for i, line in enumerate(lines) for part in ((sign, line) if i else (line,)) if part]
