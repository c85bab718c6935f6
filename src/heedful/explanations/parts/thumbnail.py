"""A small picture of a matrix or a mask, with a caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from jaxtyping import Bool, Float
from torch import Tensor

from heedful.explanations.markup import Markup, element, join
from heedful.explanations.shade import Scale, levels, picture
from heedful.explanations.tokens import thin

MOST: Final = 64  # cells a side


def thumbnail(matrix: Float[Tensor, "q k"], title: str, note: str = "", scale: Scale = "weights", top: float | None = None) -> Markup:
    """One small map without labels; the fullest shade stands for `top`, the largest entry by default."""
    rows, columns = ([""] * size for size in matrix.shape)
    shown = levels(thin(matrix, rows, columns, MOST).matrix, scale, top)
    image = element("img", {"src": picture(shown), "alt": f"{title}, {note}" if note else title, "class": "pixels"})
    return element(
        "figure",
        {"class": "thumbnail"},
        element("div", {"class": "well"}, image),
        element("figcaption", {}, element("b", {}, title), element("small", {}, note)),
    )


def mask_picture(allowed: Bool[Tensor, "q k"], title: str) -> Markup:
    """A mask: shaded where a query may attend, with the share of pairs that it allows.

    >>> import torch
    >>> "62.5 %" in mask_picture(torch.ones(4, 4).tril().bool(), "causal")
    True
    """
    return thumbnail(allowed.double(), title, f"{float(allowed.double().mean()):.1%}".replace("%", " %"), top=2.0)


def gallery(pictures: Sequence[Markup], large: bool = False) -> Markup:
    """Pictures side by side, as many as fit; `large` for maps with labels."""
    return element("div", {"class": "gallery large" if large else "gallery"}, join(*pictures))
