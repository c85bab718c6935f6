"""The algebra of masks: both, either, not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import final

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from heedful.attention.masks.combined import Combined
from heedful.attention.masks.mask import Index, Lengths, Mask, Truth
from heedful.attention.masks.spans import Edges, Span, States, both

# An intersection of unions has as many spans as the product of theirs; with more than these, one part alone bounds it.
SPANS = 16


@final
@dataclass(frozen=True, repr=False)
class And(Combined):
    """What every part allows.

    >>> from heedful.masks import Causal, Window
    >>> Causal() & Window(4) & Causal()
    Causal() & Window(size=4) & Causal()
    """

    @staticmethod
    def join(one: Tensor, other: Tensor) -> Tensor:
        """Both."""
        return one & other

    def interval(self, b: Index, h: Index, q: Index, lengths: Lengths) -> Span | None:
        """What the parts' spans share."""
        found = [part.interval(b, h, q, lengths) for part in self.parts]
        spans = [span for span in found if span is not None]
        return reduce(both, spans) if len(spans) == len(found) else None

    def reach(self, b: Index, h: Index, q: Edges, lengths: Lengths) -> tuple[Span, ...]:
        """What the parts' spans share."""
        found = sorted((part.reach(b, h, q, lengths) for part in self.parts), key=len)
        shared = found[0]
        for spans in found[1:]:
            if len(shared) * len(spans) <= SPANS:
                shared = tuple(both(one, other) for one in shared for other in spans)
        return shared

    def __repr__(self) -> str:
        return " & ".join(f"({part})" if isinstance(part, Or) else repr(part) for part in self.parts)


@final
@dataclass(frozen=True, repr=False)
class Or(Combined):
    """What any part allows.

    >>> from heedful.masks import Causal, Sinks, Window
    >>> Causal() & (Sinks(1) | Window(4))
    Causal() & (Sinks(n=1) | Window(size=4))
    """

    @staticmethod
    def join(one: Tensor, other: Tensor) -> Tensor:
        """Either."""
        return one | other

    def reach(self, b: Index, h: Index, q: Edges, lengths: Lengths) -> tuple[Span, ...]:
        """The parts' spans."""
        return tuple(span for part in self.parts for span in part.reach(b, h, q, lengths))

    def __repr__(self) -> str:
        return " | ".join(f"({part})" if isinstance(part, And) else repr(part) for part in self.parts)


@final
@dataclass(frozen=True, repr=False)
class Not(Mask):
    """What the part does not allow; twice is the part itself.

    >>> from heedful.masks import Causal
    >>> ~Causal(), ~~Causal()
    (~Causal(), Causal())
    """

    part: Mask

    def __repr__(self) -> str:
        return f"~({self.part})" if isinstance(self.part, Combined) else f"~{self.part}"

    def __invert__(self) -> Mask:
        return self.part

    @property
    def batch(self) -> int | None:
        """As the part."""
        return self.part.batch

    @property
    def heads(self) -> int | None:
        """As the part."""
        return self.part.heads

    @property
    def stable(self) -> bool:
        """As the part."""
        return self.part.stable

    @property
    def home(self) -> torch.device | None:
        """As the part."""
        return self.part.home

    @property
    def example(self) -> Lengths:
        """As the part."""
        return self.part.example

    def to(self, device: torch.device) -> Mask:
        """The part on `device`."""
        return Not(self.part.to(device))

    def over(self, batch: int, heads: int) -> Mask:
        """The part for `batch` sequences and `heads` heads."""
        return Not(self.part.over(batch, heads))

    def fits(self, lengths: Lengths) -> None:
        """As the part."""
        self.part.fits(lengths)

    def settled(self, device: torch.device) -> None:
        """As the part."""
        self.part.settled(device)

    def allowed(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Truth:
        """The opposite answer."""
        return ~self.part.allowed(b, h, q, k, lengths)

    @property
    def shift(self) -> bool:
        """As the part."""
        return self.part.shift

    def blocks(self, b: Index, h: Index, q: Edges, k: Edges, lengths: Lengths) -> States:
        """All where the part has none, none where it has all."""
        found = self.part.blocks(b, h, q, k, lengths)
        return States(~found.every, ~found.some)

    def words(self, b: Index, h: Index, q: Index, k: Index, lengths: Lengths) -> Int64[Tensor, "..."]:
        """The opposite words."""
        return ~self.part.words(b, h, q, k, lengths)

    def rows(
        self, q_start: int, q_stop: int, q_len: int, k_len: int, device: torch.device | str | None = None
    ) -> Bool[Tensor, "#b #h #q #k"]:
        """The opposite rows."""
        return ~self.part.rows(q_start, q_stop, q_len, k_len, device)

    def density(self, q_len: int, k_len: int) -> float:
        """What the part leaves."""
        return 1.0 - self.part.density(q_len, k_len) if q_len and k_len else 0.0
