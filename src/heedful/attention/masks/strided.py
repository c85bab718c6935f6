"""Strided: every stride-th key (Child et al. 2019, Sparse Transformer, arXiv 1904.10509, section 4.2, the second head)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from heedful.attention.masks.arguments import whole
from heedful.attention.masks.density import share
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Edges, States, multiples, unknown


@final
@dataclass(frozen=True, repr=False)
class Strided(Mask):
    """(q - k) mod stride = 0, backwards and forwards.

    The paper's two heads in one are `Causal() & (Window(stride) | Strided(stride))`.

    >>> from heedful.masks import Causal
    >>> print((Causal() & Strided(3)).draw(4, 4))
    ■□□□
    □■□□
    □□■□
    ■□□■
    """

    stride: int

    def __post_init__(self) -> None:
        whole("Strided", "stride", self.stride, 1)

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule."""
        return (q - k) % self.stride == 0

    @property
    def shift(self) -> bool:
        """The rule is one of k - q."""
        return True

    def blocks(self, b: Index, h: Index, q: Edges, k: Edges, lengths: Lengths) -> States:
        """Nothing where no distance is a multiple of the stride."""
        return States(multiples(q, k, self.stride), unknown(k).every | (self.stride == 1))

    def density(self, q_len: int, k_len: int) -> float:
        """Queries times keys of each residue."""
        self.fits(Lengths(q_len, k_len))
        keys, queries = range(k_len), range(k_len - q_len, k_len)
        pairs = sum(_in_class(queries, r, self.stride) * _in_class(keys, r, self.stride) for r in range(self.stride))
        return share(pairs, q_len, k_len)


def _in_class(span: range, residue: int, stride: int) -> int:
    """How many x of the span have x mod stride = residue."""
    return (span.stop - 1 - residue) // stride - (span.start - 1 - residue) // stride
