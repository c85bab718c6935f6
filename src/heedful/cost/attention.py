"""Operations and bytes of attention, by formula: the scores of every row, the weighted sum, forward and backward."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from heedful.cost.formulas import Cost, linear, product
from heedful.errors import UsageError, unknown

SCORES = ("additive", "biased", "concat", "content_biased", "cosine", "dot", "general", "query_biased", "scaled_dot")


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of a call: q (b, h, q, d), k (b, g, k, d), v (b, g, k, v).

    `density` is the share of the pairs of query and key that are computed: 1 for a kernel that computes all and masks
    after, the mask's density for one that leaves the blocked out. `d_k` is the keys' width where it is not d.
    """

    b: int
    h: int
    g: int
    q: int
    k: int
    d: int
    v: int
    density: float = 1.0
    dtype: torch.dtype = torch.float32
    d_k: int | None = None

    def __post_init__(self) -> None:
        if self.g < 1 or self.h % self.g:
            raise UsageError(f"{self.g} key/value heads do not divide {self.h} query heads")
        if not 0.0 <= self.density <= 1.0:
            raise UsageError(f"a density lies in [0, 1], found {self.density}")

    @property
    def pairs(self) -> int:
        """Pairs of query and key that are computed, over batch and heads."""
        return round(self.b * self.h * self.q * self.k * self.density)

    @property
    def operands(self) -> tuple[int, int, int, int]:
        """Bytes of q, k, v and the output."""
        keys = self.b * self.g * self.k * (self.d if self.d_k is None else self.d_k)
        queries, values, out = self.b * self.h * self.q * self.d, self.b * self.g * self.k * self.v, self.b * self.h * self.q * self.v
        size = self.dtype.itemsize
        return queries * size, keys * size, values * size, out * size


def forward(s: Sizes, *, materialised: bool = False) -> Cost:
    """softmax(Q Kᵀ) V by dot product.

    A fused kernel reads q, k, v and writes the output; with `materialised` scores and weights are written and read too.

    >>> forward(Sizes(b=1, h=8, g=2, q=100, k=100, d=64, v=64)).operations == 4 * 8 * 100 * 100 * 64
    True
    """
    tables = 4 * s.pairs * s.dtype.itemsize if materialised else 0  # scores and weights, each written and read
    return Cost(2 * s.pairs * (s.d + s.v), sum(s.operands) + tables)


def backward(s: Sizes, *, materialised: bool = False) -> Cost:
    """The gradients of q, k and v by dot product.

    A fused kernel computes the scores anew, and reads q, k, v, the output and its gradient. With `materialised` the
    weights are read (twice), their gradient is written and read, and that of the scores written and read twice.
    """
    q, k, v, out = s.operands
    moved = 2 * (q + k + v + out)
    if materialised:
        return Cost(4 * s.pairs * (s.d + s.v), moved - out + 7 * s.pairs * s.dtype.itemsize)
    return Cost(4 * s.pairs * (s.d + s.v) + 2 * s.pairs * s.d, moved)


def weighted_sum(s: Sizes) -> Cost:
    """Weights times values."""
    return Cost(2 * s.pairs * s.v, s.pairs * s.dtype.itemsize + s.operands[2] + s.operands[3])


def score(
    name: str, s: Sizes, *, hidden: int | None = None, places: int | None = None, width: int | None = None, tokens: bool = False
) -> Cost:
    """The scores of the row `name`, as its naive form computes them, written to memory; backward is twice the operations.

    >>> s = Sizes(b=1, h=2, g=2, q=10, k=20, d=8, v=8)
    >>> [score(name, s).operations for name in ("dot", "general", "additive")]
    [6400, 8960, 14080]

    Args:
        hidden: units of additive and concat; by default d.
        places: columns of query_biased's table, max_k or 2 · radius + 1; by default k.
        width: of content_biased's embedding; by default d. `tokens`: it embeds tokens, not keys.

    Raises:
        UsageError: a name that is no score's.
    """
    if name not in SCORES:
        raise unknown("score", name, SCORES)
    if name in ("additive", "concat"):
        return additive(s, s.d if hidden is None else hidden)
    if name == "general":
        return general(s)
    if name == "query_biased":
        return dot(s) + per_head(s, s.q, s.d, s.k if places is None else places)
    if name == "content_biased":
        return dot(s) + content(s, s.d if width is None else width, tokens)
    table = s.h * s.q * s.k * s.dtype.itemsize if name == "biased" else 0
    return dot(s) + Cost(0, table)


def dot(s: Sizes) -> Cost:
    """Q Kᵀ; a cosine's norms and a scale cost no products."""
    return Cost(2 * s.pairs * s.d, s.operands[0] + s.operands[1] + s.pairs * s.dtype.itemsize)


def general(s: Sizes) -> Cost:
    """Q W of each head, d to the keys' width, and then the dot product."""
    wide = s.d if s.d_k is None else s.d_k
    return per_head(s, s.q, s.d, wide) + dot(replace(s, d=wide))


def additive(s: Sizes, hidden: int) -> Cost:
    """Queries and keys of each head onto the hidden units, and each pair's units onto one number.

    The units of all pairs are written and read: no kernel avoids it.
    """
    wide = s.d if s.d_k is None else s.d_k
    pairs = Cost(2 * s.pairs * hidden, (2 * s.pairs * hidden + s.pairs) * s.dtype.itemsize)
    return per_head(s, s.q, s.d, hidden) + per_head(s, s.k, wide, hidden) + pairs


def content(s: Sizes, width: int, tokens: bool) -> Cost:
    """v · S of each head and key: S the tokens' embeddings, or K W_s, for which v W_sᵀ is computed first."""
    if tokens:
        return product(s.h, width, s.b * s.k, dtype=s.dtype)
    return product(s.h, width, s.d, dtype=s.dtype) + product(s.k, s.d, s.h // s.g, batch=s.b * s.g, dtype=s.dtype)


def per_head(s: Sizes, rows: int, inputs: int, outputs: int) -> Cost:
    """A matrix of each head applied to that head's rows."""
    return product(s.b * rows, inputs, outputs, batch=s.h, dtype=s.dtype)


def projections(s: Sizes, m: int, context: int | None = None, *, bias: bool = False) -> Cost:
    """Query, key, value and output projections of a layer of width m; keys and values read a context that wide."""
    read = m if context is None else context
    queries, keys = s.b * s.q, s.b * s.k
    return (
        linear(queries, m, s.h * s.d, bias=bias, dtype=s.dtype)
        + linear(keys, read, s.g * s.d, bias=bias, dtype=s.dtype)
        + linear(keys, read, s.g * s.v, bias=bias, dtype=s.dtype)
        + linear(queries, s.h * s.v, m, bias=bias, dtype=s.dtype)
    )


def multihead(s: Sizes, m: int, context: int | None = None) -> Cost:
    """A whole layer: projections and fused dot-product attention."""
    return projections(s, m, context) + forward(s)
