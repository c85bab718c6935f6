"""What one mechanism made of a sentence, and how far that is from scaled dot product attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One mechanism: the matrix A of each head where it has one, and what came out.

    `entropy` is nats a query; `distance` the mean number of tokens between a query and what it reads; `away` half the
    sum of |A - A'| a query, A' being scaled dot product's: 0 the same, 1 nothing in common; `changed` the length of the
    output's difference as a share of the length of scaled dot product's output (for a gate, of its input).
    """

    family: str
    name: str
    formula: str
    source: str
    article: str
    weights: Float[Tensor, "h q k"] | None
    out: Float[Tensor, "t m"]
    changed: float
    entropy: float | None = None
    distance: float | None = None
    away: float | None = None
    note: str = ""

    def record(self) -> dict[str, object]:
        """The row as plain data; weights (h, q, k) and output (t, m) rounded to six places."""
        return {
            "family": self.family,
            "name": self.name,
            "formula": self.formula,
            "source": self.source,
            "article": self.article,
            "away": self.away,
            "changed": self.changed,
            "entropy": self.entropy,
            "distance": self.distance,
            "note": self.note,
            "weights": rounded(self.weights),
            "output": rounded(self.out),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One sentence reading itself or another: the tokens of both sides and every mechanism's row."""

    title: str
    queries: Sequence[str]
    keys: Sequence[str]
    rows: Sequence[Row]

    def record(self) -> dict[str, object]:
        """The pair as plain data."""
        return {"title": self.title, "queries": list(self.queries), "keys": list(self.keys), "rows": [row.record() for row in self.rows]}


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Everything that was looked at, and where the numbers came from."""

    sentences: Sequence[str]
    origin: str
    pairs: Sequence[Pair]

    def record(self) -> dict[str, object]:
        """Everything as plain data."""
        return {"sentences": list(self.sentences), "numbers": self.origin, "pairs": [pair.record() for pair in self.pairs]}


def rounded(matrix: Tensor | None) -> list[object] | None:
    """Nested lists of numbers with six places."""
    return None if matrix is None else (matrix.double() * 1e6).round().div(1e6).tolist()


def changed(out: Tensor, reference: Tensor) -> float:
    """The length of the difference as a share of the reference's length."""
    return float((out - reference).norm() / reference.norm())
