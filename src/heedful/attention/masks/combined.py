"""Several rules as one: what `And` and `Or` share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import reduce

import torch
from jaxtyping import Bool
from torch import Tensor

from heedful.attention.masks.coerce import as_mask
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.errors import ShapeError, UsageError


@dataclass(frozen=True, repr=False)
class Combined(Mask):
    """Several rules as one."""

    parts: tuple[Mask, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(rule for part in self.parts for rule in self._flat(part)))
        if not self.parts:
            raise UsageError(f"{type(self).__name__}(parts=...) combines one mask or more: found none")
        _agreed("sequences", [(part, part.batch) for part in self.parts])
        _agreed("heads", [(part, part.heads) for part in self.parts])

    @classmethod
    def _flat(cls, part: Mask | Tensor) -> tuple[Mask, ...]:
        """The part, or its own parts where it is such a combination itself."""
        rule = as_mask(part)
        return rule.parts if isinstance(rule, cls) else () if rule is None else (rule,)

    @staticmethod
    @abstractmethod
    def join(one: Tensor, other: Tensor) -> Tensor:
        """Two tables as one."""

    @property
    def batch(self) -> int | None:
        """As the parts that say so."""
        return next((part.batch for part in self.parts if part.batch is not None), None)

    @property
    def heads(self) -> int | None:
        """As the parts that say so."""
        return next((part.heads for part in self.parts if part.heads is not None), None)

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
        return type(self)(tuple(part.over(batch, heads) for part in self.parts))

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

    def rows(
        self, q_start: int, q_stop: int, q_len: int, k_len: int, device: torch.device | str | None = None
    ) -> Bool[Tensor, "#b #h #q #k"]:
        """The parts' rows, joined."""
        at = self.home if device is None else device
        return reduce(self.join, (part.rows(q_start, q_stop, q_len, k_len, at) for part in self.parts))


def _agreed(axis: str, made: list[tuple[Mask, int | None]]) -> None:
    """Refuse parts made for different numbers."""
    found = {f"{part} for {size}": size for part, size in made if size is not None}
    if len(set(found.values())) > 1:
        raise ShapeError(f"masks made for different numbers of {axis} do not combine: found {', '.join(found)}")
