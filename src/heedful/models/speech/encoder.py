"""What hears: frames as they are to frames that know of one another, all at once, or, where it is causal, as they come."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor, nn

Held = list[Any]  # what each layer of a stream remembers, in a form of its own


class Encoder(nn.Module, ABC):
    """Frames (b, t, m) in, frames (b, t, n) out."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "b t m"], lengths: Int[Tensor, " b"]) -> Float[Tensor, "b t n"]:
        """All frames; what lies behind `lengths` changes nothing before it."""

    @abstractmethod
    def fresh(self) -> Held:
        """What a stream begins with."""

    @abstractmethod
    def go_on(self, x: Float[Tensor, "b t m"], held: Held) -> Float[Tensor, "b t n"]:
        """The next frames of a stream, as `forward` over all of them would give; `held` goes on in place. Of causal ones alone."""
