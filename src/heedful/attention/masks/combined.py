"""Several rules as one: what `And` and `Or` share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import reduce
from typing import Self

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from heedful.attention.masks.coerce import as_mask
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Edges, States
from heedful.errors import ShapeError, UsageError


@dataclass(frozen=True, repr=False)
class Combined(Mask):
    """Several rules as one."""

    parts: tuple[Mask, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise UsageError(f"{type(self).__name__}(parts=...) combines one mask or more: found none")
        rules = [self._rule(part) for part in self.parts]
        flat = [rule.parts if isinstance(rule, type(self)) else (rule,) for rule in rules]
        object.__setattr__(self, "parts", tuple(rule for parts in flat for rule in parts))
        _agreed("sequences", [(part, part.batch) for part in self.parts])
        _agreed("heads", [(part, part.heads) for part in self.parts])

    @classmethod
    def of(cls, *masks: Mask | Tensor) -> Self:
        """The masks combined, bool tensors among them too."""
        return cls(tuple(cls._rule(mask) for mask in masks))

    @classmethod
    def _rule(cls, part: Mask | Tensor) -> Mask:
        rule = as_mask(part)
        if rule is None:
            raise UsageError(f"{cls.__name__} combines masks and bool tensors: found None")
        return rule

    @staticmethod
    @abstractmethod
    def join(one: Tensor, other: Tensor) -> Tensor:
        """Two tables as one."""

    @property
    def batch(self) -> int | None:
        """As the parts that say so."""
        return _largest([part.batch for part in self.parts])

    @property
    def heads(self) -> int | None:
        """As the parts that say so."""
        return _largest([part.heads for part in self.parts])

    @property
    def stable(self) -> bool:
        """Stable if every part is."""
        return all(part.stable for part in self.parts)

    @property
    def home(self) -> torch.device | None:
        """As the first part that has tensors."""
        return next((part.home for part in self.parts if part.home is not None), None)

    @property
    def example(self) -> Lengths:
        """As the first part that has its own lengths."""
        usual = super().example
        return next((part.example for part in self.parts if part.example != usual), usual)

    def to(self, device: torch.device) -> Mask:
        """Every part on `device`."""
        return type(self)(tuple(part.to(device) for part in self.parts))

    def over(self, batch: int, heads: int) -> Mask:
        """Every part for `batch` sequences and `heads` heads."""
        parts = tuple(part.over(batch, heads) for part in self.parts)
        return self if all(new is old for new, old in zip(parts, self.parts, strict=True)) else type(self)(parts)

    def fits(self, lengths: Lengths) -> None:
        """Lengths that fit every part."""
        for part in self.parts:
            part.fits(lengths)

    def settled(self, device: torch.device) -> None:
        """Whether every part is."""
        for part in self.parts:
            part.settled(device)

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The parts' answers, joined."""
        return reduce(self.join, (part.allowed(b, h, q, k, lengths) for part in self.parts))

    @property
    def shift(self) -> bool:
        """If every part does."""
        return all(part.shift for part in self.parts)

    def blocks(self, b: Index, h: Index, q: Edges, k: Edges, lengths: Lengths) -> States:
        """The parts' states, joined."""
        found = [part.blocks(b, h, q, k, lengths) for part in self.parts]
        return States(reduce(self.join, (one.some for one in found)), reduce(self.join, (one.every for one in found)))

    def words(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Int64[Tensor, "..."]:
        """The parts' words, joined."""
        return reduce(self.join, (part.words(b, h, q, k, lengths) for part in self.parts))

    def rows(
        self, q_start: int, q_stop: int, q_len: int, k_len: int, device: torch.device | str | None = None
    ) -> Bool[Tensor, "#b #h #q #k"]:
        """The parts' rows, joined."""
        at = self.home if device is None else device
        return reduce(self.join, (part.rows(q_start, q_stop, q_len, k_len, at) for part in self.parts))


def _agreed(axis: str, made: list[tuple[Mask, int | None]]) -> None:
    """Refuse parts made for different numbers."""
    found = {f"{part} for {size}": size for part, size in made if size not in (None, 1)}
    if len(set(found.values())) > 1:
        raise ShapeError(f"masks made for different numbers of {axis} do not combine: found {', '.join(found)}")


def _largest(sizes: list[int | None]) -> int | None:
    """The size that the others, 1 or None, broadcast to."""
    found = [size for size in sizes if size is not None]
    return max(found) if found else None
