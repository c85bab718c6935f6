"""Tokens made visible, and long lists made short."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from einops import reduce
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

SIGNS: Final = {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "␍", "": "∅"}


class Thinned(NamedTuple):
    """A matrix with at most so many rows and columns, its labels, and how many tokens one cell now covers."""

    matrix: Float[Tensor, "q k"]
    queries: list[str]
    keys: list[str]
    step: int


def visible(token: str) -> str:
    """A token as it can be read on a label: white space gets a sign, other unprintable characters their code.

    >>> visible("\\n"), visible(" the"), visible("\\x00")
    ('↵', '␣the', '\\\\x00')
    """
    if token in SIGNS:
        return SIGNS[token]
    return "".join(SIGNS.get(c, c if c.isprintable() else c.encode("unicode_escape").decode("ascii")) for c in token)


def thin(matrix: Float[Tensor, "q k"], queries: Sequence[str], keys: Sequence[str], most: int) -> Thinned:
    """At most `most` rows and columns: a block of cells is shown by its largest weight, and named by its first token."""
    step = math.ceil(max(matrix.shape) / most)
    if step == 1:
        return Thinned(matrix, list(queries), list(keys), 1)
    tall, wide = (-size % step for size in matrix.shape)
    padded = pad(matrix, (0, wide, 0, tall), value=float("-inf"))
    small = reduce(padded, "(q s) (k t) -> q k", "max", s=step, t=step)
    return Thinned(small, list(queries)[::step], list(keys)[::step], step)
