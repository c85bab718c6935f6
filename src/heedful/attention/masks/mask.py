"""What a mask is: a rule over indices that says which query may attend to which key, and its algebra."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int, Int64
from torch import Tensor

from heedful.attention.masks import picture
from heedful.attention.masks.density import streamed
from heedful.attention.masks.notation import written
from heedful.attention.masks.spans import BLOCK, Edges, Span, States, states, unknown
from heedful.attention.masks.words import between, singly, sliding
from heedful.errors import ShapeError, UsageError

Index = Int[Tensor, "..."]
Truth = Bool[Tensor, "..."]


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many queries and keys a rule is asked about; queries are aligned to the end of the keys."""

    q: int
    k: int

    @property
    def offset(self) -> int:
        """The position of query 0: the last query stands at the last key."""
        return self.k - self.q


class Mask(ABC):
    """True means "may attend".

    A rule sees the batch index b, the head index h, the *position* of the query q and the position of the key k, as
    integer tensors that broadcast to (b, h, q, k). Query i of `q_len` stands at position i + k_len - q_len (bottom
    right), so a rule reads the same for a whole sequence and for one cached step. More queries than keys stand at
    negative positions.

    >>> from heedful.masks import Causal, Sinks, Window
    >>> mask = Causal() & (Window(2) | Sinks(1))
    >>> mask.dense(4, 4).shape, mask.density(4, 4)
    (torch.Size([1, 1, 4, 4]), 0.5625)
    >>> print(mask.draw(4, 4))
    ■□□□
    ■■□□
    ■■■□
    ■□■■
    """

    @property
    def batch(self) -> int | None:
        """How many sequences the rule was made for; None (or 1) where it is the same for all."""
        return None

    @property
    def heads(self) -> int | None:
        """How many heads the rule was made for; None (or 1) where it is the same for all."""
        return None

    @property
    def stable(self) -> bool:
        """Whether more keys leave what was allowed before unchanged (a growing cache needs this)."""
        return True

    @property
    def home(self) -> torch.device | None:
        """The device of the tensors inside, if there are any."""
        return None

    @property
    def example(self) -> Lengths:
        """The lengths a picture shows when none are given."""
        return Lengths(16, 16)

    @abstractmethod
    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The rule itself, on broadcasting index tensors; elementwise, so that FlexAttention may call it on scalars."""

    def fits(self, lengths: Lengths) -> None:
        """Refuse, with `ShapeError`, lengths that the rule was not made for."""
        if lengths.q < 0 or lengths.k < 0:
            raise UsageError(f"{self} was asked about {lengths.q} queries and {lengths.k} keys: 0 or more would work")

    def over(self, batch: int, heads: int) -> Mask:
        """The rule for `batch` sequences and `heads` heads; `ShapeError` if it was made for others."""
        for axis, made, asked in (("sequences", self.batch, batch), ("heads", self.heads, heads)):
            if made not in (None, 1, asked):
                raise ShapeError(f"{self} was made for {made} {axis}: found {asked}")
        return self

    def settled(self, device: torch.device) -> None:
        """Refuse a rule that depends on the sequence or the head and does not know how many there are."""
        return None

    def to(self, device: torch.device) -> Mask:
        """The same rule with its tensors on `device`."""
        return self

    def dense(self, q_len: int, k_len: int, device: torch.device | str | None = None) -> Bool[Tensor, "#b #h #q #k"]:
        """The whole table, broadcastable to (b, h, q, k): an axis over which the rule does not vary has size 1.

        >>> from heedful.masks import Padding, Window
        >>> Window(2).dense(3, 5)[0, 0].int()
        tensor([[0, 1, 1, 0, 0],
                [0, 0, 1, 1, 0],
                [0, 0, 0, 1, 1]], dtype=torch.int32)
        >>> Padding(torch.tensor([5, 3])).dense(3, 5).shape
        torch.Size([2, 1, 1, 5])
        """
        return self.rows(0, q_len, q_len, k_len, device)

    def rows(
        self, q_start: int, q_stop: int, q_len: int, k_len: int, device: torch.device | str | None = None
    ) -> Bool[Tensor, "#b #h #q #k"]:
        """The table's rows of queries q_start ... q_stop - 1, without the others.

        >>> from heedful.masks import Causal
        >>> Causal().rows(2, 4, 1_000_000, 1_000_000)[0, 0, :, :5].int()
        tensor([[1, 1, 1, 0, 0],
                [1, 1, 1, 1, 0]], dtype=torch.int32)
        """
        lengths = Lengths(q_len, k_len)
        self.fits(lengths)
        at = torch.device(device) if device is not None else self.home or torch.device("cpu")
        self.settled(at)
        b = torch.arange(1 if self.batch is None else self.batch, device=at)[:, None, None, None]
        h = torch.arange(1 if self.heads is None else self.heads, device=at)[:, None, None]
        q = torch.arange(q_start, q_stop, device=at)[:, None] + lengths.offset
        k = torch.arange(k_len, device=at)
        return four(self.to(at).allowed(b, h, q[None, None], k[None, None, None], lengths))

    @property
    def shift(self) -> bool:
        """Whether the answer depends on k - q alone."""
        return False

    def interval(self, b: Index, h: Index, q: Index, lengths: Lengths) -> Span | None:
        """The span of keys that a query sees, all of it and nothing else, neither end ever falling as q rises; None where it is not so."""
        return None

    def reach(self, b: Index, h: Index, q: Edges, lengths: Lengths) -> tuple[Span, ...]:
        """Spans outside of which the queries of a block certainly see nothing."""
        first, last = self.interval(b, h, q.low, lengths), self.interval(b, h, q.high, lengths)
        return (Span(0, lengths.k - 1) if first is None or last is None else Span(first.low, last.high),)

    def blocks(self, b: Index, h: Index, q: Edges, k: Edges, lengths: Lengths) -> States:
        """What is certain about blocks of pairs, given by the positions at their edges; elementwise, as `allowed`."""
        first, last = self.interval(b, h, q.low, lengths), self.interval(b, h, q.high, lengths)
        return unknown(k) if first is None or last is None else states(first, last, k)

    def words(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Int64[Tensor, "..."]:
        """The answers for keys k ... k + 63 as the bits of one integer, the first the lowest; beyond the last key they mean nothing."""
        span = self.interval(b, h, q, lengths)
        if span is not None:
            return between(span, k)
        if self.shift and q.numel() * BLOCK > lengths.q + lengths.k:
            return self._sliding(b, h, lengths)[k - q + lengths.k - 1]
        return singly(lambda keys: self.allowed(b[..., None], h[..., None], q[..., None], keys, lengths), k, q.numel(), lengths.k)

    def _sliding(self, b: Index, h: Index, lengths: Lengths) -> Int64[Tensor, " n"]:
        """The words of a rule of k - q from every distance that there is, from 1 - k_len on."""
        distance = torch.arange(1 - lengths.k, lengths.q + BLOCK, device=b.device)
        none = torch.zeros_like(distance)
        return sliding(self.allowed(none, none, none, distance, lengths))

    def mask_mod(self, q_len: int, k_len: int) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
        """The rule as FlexAttention wants it: (b, h, q_idx, kv_idx) -> bool, queries counted from 0."""
        lengths = Lengths(q_len, k_len)
        self.fits(lengths)
        return lambda b, h, q, k: self.allowed(b, h, q + lengths.offset, k, lengths)

    def at(self, q_positions: Int[Tensor, " q"], k_positions: Int[Tensor, " k"], length: int | None = None) -> Mask:
        """The same rule for queries and keys at the given positions: a cache that evicted keys holds others than 0 ... k - 1.

        `length` is how many keys there have ever been, the evicted ones included; one more than the largest position if not given.

        >>> from heedful.masks import Causal, Window
        >>> held = (Causal() & Window(4)).at(torch.tensor([9]), torch.tensor([0, 7, 8, 9]))
        >>> held.dense(1, 4).int()
        tensor([[[[0, 1, 1, 1]]]], dtype=torch.int32)
        """
        from heedful.attention.masks.at import At

        return At(self, q_positions, k_positions, length)

    def density(self, q_len: int, k_len: int) -> float:
        """The exact share of pairs that may attend, averaged over batch and heads; 0.0 where there is no pair."""
        self.fits(Lengths(q_len, k_len))
        cells = (self.batch or 1) * (self.heads or 1) * k_len
        return streamed(lambda start, stop: self.rows(start, stop, q_len, k_len), q_len, cells)

    def draw(self, q_len: int, k_len: int, *, batch: int = 0, head: int = 0) -> str:
        """A picture for a terminal, queries down and keys across, of one sequence and one head; at most 64 cells wide."""
        return picture.text(picture.shares(self._one(q_len, k_len, batch, head), q_len, k_len))

    def svg(self, q_len: int, k_len: int, *, batch: int = 0, head: int = 0) -> str:
        """The same picture as an SVG element."""
        return picture.svg(picture.shares(self._one(q_len, k_len, batch, head), q_len, k_len), title=repr(self))

    def _one(self, q_len: int, k_len: int, batch: int, head: int) -> Callable[[int, int], Tensor]:
        """The rows of one sequence and one head."""
        for axis, made, index in (("sequences", self.batch, batch), ("heads", self.heads, head)):
            if index < 0 or index >= (made or index + 1):
                raise ShapeError(f"{self} was made for {made} {axis}: found index {index}")
        rule = self.over(self.batch or batch + 1, self.heads or head + 1)

        def rows(start: int, stop: int) -> Tensor:
            table = rule.rows(start, stop, q_len, k_len)
            return table[min(batch, table.shape[0] - 1), min(head, table.shape[1] - 1)]

        return rows

    def _repr_svg_(self) -> str:
        return self.svg(self.example.q, self.example.k)

    def __repr__(self) -> str:
        return written(self)

    def __and__(self, other: Mask | Tensor) -> Mask:
        from heedful.attention.masks.algebra import And

        return And.of(self, other)

    def __or__(self, other: Mask | Tensor) -> Mask:
        from heedful.attention.masks.algebra import Or

        return Or.of(self, other)

    def __invert__(self) -> Mask:
        from heedful.attention.masks.algebra import Not

        return Not(self)

    __rand__ = __and__
    __ror__ = __or__

    def __bool__(self) -> bool:
        raise UsageError(f"{self} is neither true nor false: combine masks with & | ~ (not and, or, not), or compare with None")


def four(table: Truth) -> Bool[Tensor, "#b #h #q #k"]:
    """The table with all four axes, those that it lacks of size 1."""
    return table.reshape((1,) * (4 - table.dim()) + table.shape)
