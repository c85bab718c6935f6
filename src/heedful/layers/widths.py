"""The sizes of an attention layer, checked once."""

from __future__ import annotations

from dataclasses import dataclass

from heedful.errors import ShapeError


@dataclass(frozen=True, slots=True)
class Widths:
    """`dim` of the stream, `heads` of `head_dim`, `kv_heads` that share keys and values, and what keys and values read.

    >>> widths = Widths.of(64, 8, kv_heads=2)
    >>> widths.head_dim, widths.query, widths.shared, widths.packed
    (8, 64, 16, True)
    """

    dim: int
    heads: int
    kv_heads: int
    head_dim: int
    key_dim: int
    value_dim: int

    @classmethod
    def of(
        cls,
        dim: int,
        heads: int,
        kv_heads: int | None = None,
        head_dim: int | None = None,
        key_dim: int | None = None,
        value_dim: int | None = None,
    ) -> Widths:
        """Fill in what follows from the rest; `ShapeError` where it does not divide."""
        kv_heads = heads if kv_heads is None else kv_heads
        for name, size in (("dim", dim), ("heads", heads), ("kv_heads", kv_heads), ("head_dim", 1 if head_dim is None else head_dim)):
            if size < 1:
                raise ShapeError(f"{name} is a count of 1 or more: found {size}")
        if head_dim is None and dim % heads:
            raise ShapeError(f"{heads} heads do not divide a width of {dim}: {dividing(dim, heads)} heads, or head_dim=, would work")
        if heads % kv_heads:
            raise ShapeError(f"{kv_heads} key/value heads do not divide {heads} heads: {dividing(heads, kv_heads)} would work")
        key_dim = dim if key_dim is None else key_dim
        return cls(dim, heads, kv_heads, head_dim or dim // heads, key_dim, key_dim if value_dim is None else value_dim)

    @property
    def query(self) -> int:
        """The width of all query heads."""
        return self.heads * self.head_dim

    @property
    def shared(self) -> int:
        """The width of all key (or value) heads."""
        return self.kv_heads * self.head_dim

    @property
    def packed(self) -> bool:
        """Whether queries, keys and values read the same width, so that one matrix holds all three projections."""
        return self.key_dim == self.value_dim == self.dim


def dividing(whole: int, wanted: int) -> int:
    """The divisor of `whole` nearest to `wanted`."""
    return min((n for n in range(1, whole + 1) if whole % n == 0), key=lambda n: (abs(n - wanted), n))
