"""The full cache: every key and value, in a buffer that doubles when it is full."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.errors import UsageError
from heedful.layers.cache.cache import Cache, check_crop, check_fits, writable


@final
class KVCache(Cache):
    """Every key and value seen. `capacity` tokens are reserved at the first append (and doubled when passed).

    Steps under `torch.no_grad()` write in place; where gradients are wanted, they flow through the cache at the price of
    a copy a step.

    >>> import torch
    >>> cache = KVCache()
    >>> keys, values = cache.append(torch.ones(2, 4, 3, 8), torch.ones(2, 4, 3, 8))
    >>> keys, values = cache.append(torch.ones(2, 4, 1, 8), torch.ones(2, 4, 1, 8))
    >>> keys.shape, cache.length, cache.positions
    (torch.Size([2, 4, 4, 8]), 4, tensor([0, 1, 2, 3]))
    """

    _k: Tensor | None
    _v: Tensor | None

    def __init__(self, capacity: int = 64) -> None:
        if capacity < 1:
            raise UsageError(f"capacity is the number of tokens to reserve: found {capacity}; 1 or more would work")
        self.capacity = capacity
        self.reset()

    @property
    def reach(self) -> int:
        """All the way."""
        return self.length

    @property
    def positions(self) -> Int[Tensor, " k"]:
        """0 ... length - 1."""
        return torch.arange(self.length, device=None if self._k is None else self._k.device)

    @property
    def bytes(self) -> int:
        """What the keys and values that are held take."""
        return sum(x[:, :, : self.length].nbytes for x in (self._k, self._v) if x is not None)

    def append(self, k: Float[Tensor, "b g t d"], v: Float[Tensor, "b g t v"]) -> tuple[Tensor, Tensor]:
        """Views of the buffers over all tokens so far."""
        check_fits(self._k, k)
        check_fits(self._v, v)
        if writable(k, v):
            self._k, self._v = self._written(self._k, k), self._written(self._v, v)
        else:
            self._k, self._v = self._joined(self._k, k), self._joined(self._v, v)
        self.length += k.shape[2]
        return self._k[:, :, : self.length], self._v[:, :, : self.length]

    def _written(self, buffer: Tensor | None, new: Tensor) -> Tensor:
        """The buffer with `new` behind what it holds, larger if it has to be."""
        end = self.length + new.shape[2]
        if buffer is None or buffer.shape[2] < end or not writable(buffer):
            room = max(self.capacity, end, 2 * self.length if buffer is not None else 0)
            grown = new.new_empty(*new.shape[:2], room, new.shape[3])
            if buffer is not None:
                grown[:, :, : self.length] = buffer[:, :, : self.length]
            buffer = grown
        buffer[:, :, self.length : end] = new
        return buffer

    def _joined(self, buffer: Tensor | None, new: Tensor) -> Tensor:
        """The same without writing in place, so that gradients flow."""
        return new if buffer is None else torch.cat([buffer[:, :, : self.length], new], dim=2)

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        if self._k is not None and self._v is not None:
            self._k, self._v = self._k.index_select(0, index), self._v.index_select(0, index)

    def crop(self, length: int) -> None:
        """Forget the tokens from position `length` on; the room is kept."""
        check_crop(length, self.length)
        self.length = length

    def reset(self) -> None:
        """Forget everything."""
        self.length = 0
        self._k = self._v = None
