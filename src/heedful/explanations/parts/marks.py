"""A text whose units are shaded by what they count: blue for the answer, orange against it, the number on demand."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from heedful.errors import ShapeError
from heedful.explanations.markup import Markup, element, join
from heedful.explanations.parts.table import number
from heedful.explanations.parts.text import body
from heedful.explanations.shade import colour
from heedful.explanations.tokens import visible


def marks(tokens: Sequence[str], scores: Float[Tensor, " n"], title: str, shaded: bool = True, top: float | None = None) -> Markup:
    """`tokens` with a shade for each score, on one scale about zero; without shades where they would mislead.

    The fullest shade stands for `top`, the largest score by default.

    >>> import torch
    >>> shown = marks(["good", "bad"], torch.tensor([2.0, -1.0]), "why")
    >>> 'title="good: 2.00"' in shown, "rgba(190,84,0,0.50)" in shown
    (True, True)
    """
    if len(tokens) != len(scores):
        raise ShapeError(f"{len(tokens)} tokens need as many scores: found {len(scores)}")
    top = (top if top is not None else float(scores.abs().max())) or 1.0
    spans = [mark(token, float(score), float(score) / top if shaded else 0.0) for token, score in zip(tokens, scores, strict=True)]
    text = element("div", {"class": "tokens", "role": "group", "aria-label": title, "tabindex": 0}, join(*spans))
    return element("figure", {"class": "marks"}, element("figcaption", {}, title), text)


def mark(token: str, score: float, share: float) -> Markup:
    """One unit under its shade."""
    red, green, blue, _ = colour(255 if share >= 0 else 1, "signed")
    style = None if abs(share) < 0.01 else f"background:rgba({red},{green},{blue},{abs(share):.2f});color:{ink(share)}"
    return element("span", {"style": style, "title": f"{visible(token)}: {number(score)}"}, *body(token))


def ink(share: float) -> str:
    """Letters that can be read on a shade of that share, by day and by night."""
    return "#fff" if abs(share) > 0.85 else "var(--ink)"
