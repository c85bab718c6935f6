"""Rule: any function of the indices as a mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from heedful.attention.masks.mask import Index, Lengths, Mask, Truth, four
from heedful.errors import ShapeError, UsageError


@final
@dataclass(frozen=True, repr=False)
class Rule(Mask):
    """fn(b, h, q, k) -> bool tensor, on integer tensors that broadcast to (b, h, q, k); q and k are positions.

    A function of b or h is asked about `made_for` (sequences, heads); `attend` fills that in from its call.

    >>> print(Rule(lambda b, h, q, k: (k <= q) & (k % 2 == 0)).draw(4, 4))
    ■□□□
    ■□□□
    ■□■□
    ■□■□
    >>> Rule(lambda b, h, q, k: k <= q - h).over(batch=1, heads=2).dense(3, 3)[0, 1].int()
    tensor([[0, 0, 0],
            [1, 0, 0],
            [1, 1, 0]], dtype=torch.int32)
    """

    fn: Callable[[Index, Index, Index, Index], Truth]
    made_for: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        if not callable(self.fn):
            raise UsageError(f"Rule(fn=...) is a function of (b, h, q, k): found {type(self.fn).__name__}")

    @property
    def batch(self) -> int | None:
        """How many sequences it was made for."""
        return None if self.made_for is None else self.made_for[0]

    @property
    def heads(self) -> int | None:
        """How many heads it was made for."""
        return None if self.made_for is None else self.made_for[1]

    def over(self, batch: int, heads: int) -> Mask:
        """The rule for `batch` sequences and `heads` heads."""
        super().over(batch, heads)
        return replace(self, made_for=(batch, heads))

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The function's answer."""
        answer = self.fn(b, h, q, k)
        answer = answer if isinstance(answer, Tensor) else torch.as_tensor(answer, device=k.device)
        if answer.dtype is not torch.bool:
            raise UsageError(
                f"{self} gave {str(answer.dtype).removeprefix('torch.')}: a bool tensor, True where attending is allowed, would work"
            )
        return answer

    def rows(
        self, q_start: int, q_stop: int, q_len: int, k_len: int, device: torch.device | str | None = None
    ) -> Bool[Tensor, "#b #h #q #k"]:
        """The rows of queries q_start ... q_stop - 1, of a shape that fits."""
        table = super().rows(q_start, q_stop, q_len, k_len, device)
        sizes = (*(self.made_for or (1, 1)), q_stop - q_start, k_len)
        if any(found not in (1, size) for found, size in zip(table.shape, sizes, strict=True)):
            raise ShapeError(f"{self} gave the shape {tuple(table.shape)}: one that broadcasts to {sizes} would work")
        return table

    def words(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Int64[Tensor, "..."]:
        """Pair by pair; refused where the function does not answer for the pairs it was asked about."""
        asked, found = (q + k).shape, self.allowed(b, h, q, k, lengths).shape
        if len(found) > len(asked) or any(one not in (1, size) for one, size in zip(found[::-1], asked[::-1], strict=False)):
            raise ShapeError(
                f"{self} gave the shape {tuple(found)} for positions of the shape {tuple(asked)}: "
                "one answer for each pair, looked up by q and k, would work"
            )
        return super().words(b, h, q, k, lengths)

    def settled(self, device: torch.device) -> None:
        """Ask about two sequences and two heads at once: an answer with such an axis depends on it."""
        if self.made_for is not None:
            return
        zero = torch.zeros(1, 1, 1, 1, dtype=torch.int64, device=device)
        answer = self.allowed(zero.expand(2, 1, 1, 1), zero.expand(1, 2, 1, 1), zero, zero, Lengths(1, 1))
        if max(four(answer).shape[:2]) > 1:
            raise UsageError(f"{self} depends on the sequence or the head: mask.over(batch, heads) says how many there are")
