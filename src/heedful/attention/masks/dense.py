"""Dense: any table of booleans as a mask."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Bool
from torch import Tensor

from heedful.attention.masks.mask import Index, Lengths, Mask, Truth, four
from heedful.attention.masks.spans import Edges, States, unknown
from heedful.errors import ShapeError, UsageError


@final
@dataclass(frozen=True, repr=False, eq=False)
class Dense(Mask):
    """tensor[b, h, q, k], a bool tensor that broadcasts to (b, h, q, k) from the right as torch's do; True means "may attend".

    >>> print(Dense(torch.eye(3, dtype=torch.bool)).draw(3, 3))
    ■□□
    □■□
    □□■
    >>> Dense(torch.eye(3, dtype=torch.bool)).dense(2, 3)
    Traceback (most recent call last):
    heedful.errors.ShapeError: Dense(tensor=<bool (3, 3)>) was made for 3 queries: found 2
    """

    tensor: Bool[Tensor, "..."]

    def __post_init__(self) -> None:
        if not isinstance(self.tensor, Tensor) or self.tensor.dtype is not torch.bool:
            found = str(self.tensor.dtype) if isinstance(self.tensor, Tensor) else type(self.tensor).__name__
            raise UsageError(f"Dense(tensor=...) is a bool tensor, True where attending is allowed: found {found}")
        if self.tensor.dim() > 4:
            raise ShapeError(f"Dense(tensor=...) broadcasts to (b, h, q, k): found the shape {tuple(self.tensor.shape)}")

    @property
    def table(self) -> Bool[Tensor, "#b #h #q #k"]:
        """The tensor with all four axes."""
        return four(self.tensor)

    @property
    def batch(self) -> int | None:
        """The size of the first of four axes."""
        return None if self.table.shape[0] == 1 else self.table.shape[0]

    @property
    def heads(self) -> int | None:
        """The size of the second of four axes."""
        return None if self.table.shape[1] == 1 else self.table.shape[1]

    @property
    def stable(self) -> bool:
        """A table fits one pair of lengths only."""
        return False

    @property
    def home(self) -> torch.device:
        """The device of the table."""
        return self.tensor.device

    @property
    def example(self) -> Lengths:
        """The sizes of the table."""
        return Lengths(self.table.shape[2], self.table.shape[3])

    def to(self, device: torch.device) -> Mask:
        """The same table on `device`."""
        return self if self.tensor.device == device else replace(self, tensor=self.tensor.to(device))

    def fits(self, lengths: Lengths) -> None:
        """The table's own lengths, or any along an axis of size 1."""
        super().fits(lengths)
        for axis, made, asked in (("queries", self.table.shape[2], lengths.q), ("keys", self.table.shape[3], lengths.k)):
            if made not in (1, asked):
                raise ShapeError(f"{self} was made for {made} {axis}: found {asked}")

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The entry; along an axis of size 1, the only one."""
        one_b, one_h, one_q, one_k = (size == 1 for size in self.table.shape)
        row = q - lengths.offset
        return self.table[b * 0 if one_b else b, h * 0 if one_h else h, row * 0 if one_q else row, k * 0 if one_k else k]

    def blocks(self, b: Index, h: Index, q: Edges, k: Edges, lengths: Lengths) -> States:
        """Counted, where the table is the same for all queries; a whole table is for `rows` to read."""
        if self.table.shape[2] > 1 or self.table.shape[3] == 1:
            return unknown(k)
        counts = torch.nn.functional.pad(self.table[:, :, 0].to(torch.int32).cumsum(-1), (1, 0))
        row, head = (index * 0 if size == 1 else index for index, size in zip((b, h), self.table.shape, strict=False))
        held = counts[row, head, k.high + 1] - counts[row, head, k.low]
        return States(held > 0, held == k.high + 1 - k.low)

    def rows(
        self, q_start: int, q_stop: int, q_len: int, k_len: int, device: torch.device | str | None = None
    ) -> Bool[Tensor, "#b #h #q #k"]:
        """A view of the table, nothing copied unless it stands on another device."""
        self.fits(Lengths(q_len, k_len))
        table = self.table if self.table.shape[2] == 1 else self.table[:, :, q_start:q_stop]
        return table if device is None else table.to(device)
