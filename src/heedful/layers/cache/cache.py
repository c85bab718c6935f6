"""What a cache is: the keys and values of one layer, with the true positions of the keys it still holds."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.errors import ShapeError, UsageError


class Past(ABC):
    """What one layer remembers of the tokens before; `length` counts those ever seen, the next one stands at that position."""

    length: int = 0

    @abstractmethod
    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Continue row index[i] as row i: what a beam search does after each step; the batch may change size."""

    @abstractmethod
    def crop(self, length: int) -> None:
        """Forget every token from position `length` on, as if it had never come."""

    @abstractmethod
    def reset(self) -> None:
        """Forget everything, the batch size too."""


class Cache(Past):
    """Keys are stored with their positions already in them, so a gap left by an evicted key moves nothing."""

    gapless: bool = True  # whether the keys given back are always those of positions 0 ... length - 1

    @property
    def forgets(self) -> Mask | None:
        """The rule of what a query may still see; None where nothing is forgotten."""
        return None

    @property
    def reach(self) -> int | None:
        """How many keys back, its own among them, the newest token finds any; None where there is no end to it."""
        return None

    @property
    @abstractmethod
    def positions(self) -> Int[Tensor, " k"]:
        """The true positions of the keys that the last `append` gave back."""

    @abstractmethod
    def append(self, k: Float[Tensor, "b g t d"], v: Float[Tensor, "b g t v"]) -> tuple[Tensor, Tensor]:
        """Take the keys and values of the next t tokens; give back all that these may see, (b, g, k, d) and (b, g, k, v)."""


def check_fits(held: Tensor | None, new: Tensor) -> None:
    """Refuse keys (b, g, t, d) of another batch, number of heads, width or type than those held."""
    if held is None:
        return
    if (held.shape[:2], held.shape[3]) != (new.shape[:2], new.shape[3]) or held.dtype != new.dtype:
        raise ShapeError(
            f"the cache holds batch {held.shape[0]}, {held.shape[1]} heads, {held.shape[3]} wide, {held.dtype}: found "
            f"batch {new.shape[0]}, {new.shape[1]} heads, {new.shape[3]} wide, {new.dtype}; cache.reset() or one cache a layer would work"
        )


def check_crop(length: int, seen: int) -> None:
    """Refuse to crop to more tokens than were seen, or to fewer than none."""
    if not 0 <= length <= seen:
        raise UsageError(f"crop({length}) keeps the first {length} tokens: found {seen}; 0 to {seen} would work")


def writable(*held: Tensor) -> bool:
    """Whether buffers may be written in place: nothing asks for their gradients, and they are of this mode."""
    frozen = not torch.is_inference_mode_enabled() and any(x.is_inference() for x in held)
    return not frozen and not (torch.is_grad_enabled() and any(x.requires_grad for x in held))
