"""The window cache: the latest keys in a ring, and the first ones as sinks (Xiao et al. 2024, arXiv 2309.17453)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.window import Window
from heedful.errors import UsageError
from heedful.layers.cache.cache import Cache, check_crop, check_fits, writable


@final
class WindowCache(Cache):
    """The last `size` tokens, the query's own among them, and the first `sinks`: memory and time a step do not grow.

    A layer that uses it attends as under the mask `Causal() & (Window(size) | Sinks(sinks))`, a token at a time or many.
    Positions stay true: the key of token 900 stands at 900 whatever was evicted before it.

    >>> import torch
    >>> cache = WindowCache(size=2, sinks=1)
    >>> for token in range(5):
    ...     keys, values = cache.append(torch.full((1, 1, 1, 1), float(token)), torch.zeros(1, 1, 1, 1))
    >>> keys.flatten().tolist(), cache.positions.tolist(), cache.length
    ([0.0, 3.0, 4.0], [0, 3, 4], 5)
    """

    gapless = False
    _k: Tensor | None
    _v: Tensor | None
    _given: Tensor | None  # positions of the keys given back, where they are not those held
    _whole_from: int  # the ring has lost positions before this one

    def __init__(self, size: int, sinks: int = 0) -> None:
        if size < 1 or sinks < 0:
            raise UsageError(f"WindowCache holds size >= 1 latest and sinks >= 0 first tokens: found size={size}, sinks={sinks}")
        self.size, self.sinks = size, sinks
        self._rule = Causal() & (Window(size) | Sinks(sinks)) if sinks else Window(size)
        self.reset()

    @property
    def forgets(self) -> Mask | None:
        """What a query may still see."""
        return self._rule

    @property
    def reach(self) -> int | None:
        """The window, unless there are sinks."""
        return None if self.sinks else self.size

    @property
    def positions(self) -> Int[Tensor, " k"]:
        """The true positions of the keys last given back, in the order in which they were."""
        return self._given if self._given is not None else self._held()

    def _held(self, length: int | None = None) -> Int[Tensor, " k"]:
        """The position that each slot holds: sinks first, then the ring, where position p lives in slot p mod size."""
        n = self.length if length is None else length
        slot = torch.arange(min(n, self.sinks + self.size), device=None if self._k is None else self._k.device)
        latest = n - 1 - (n - 1 - slot) % self.size
        return torch.where(slot < self.sinks, slot, latest)

    def append(self, k: Float[Tensor, "b g t d"], v: Float[Tensor, "b g t v"]) -> tuple[Tensor, Tensor]:
        """The sinks and the window (one token), or what was held followed by the new tokens (several)."""
        check_fits(self._k, k)
        check_fits(self._v, v)
        if k.shape[2] != 1:
            return self._many(k, v)
        if self._k is None or self._v is None or not writable(k, v, self._k, self._v):
            self._many(k, v)
        else:
            self._one(k, v, self._k, self._v)
        self._given = None
        return self._filled(self._k), self._filled(self._v)

    def _filled(self, buffer: Tensor | None) -> Tensor:
        """The slots in use."""
        assert buffer is not None
        return buffer[:, :, : min(self.length, self.sinks + self.size)]

    def _one(self, k: Tensor, v: Tensor, held_k: Tensor, held_v: Tensor) -> None:
        """One token into its slot."""
        n = self.length
        slot = n if n < self.sinks else self.sinks + (n - self.sinks) % self.size
        held_k[:, :, slot : slot + 1] = k
        held_v[:, :, slot : slot + 1] = v
        self._seen(n + 1)

    def _many(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Several tokens: their queries see further back than the last one's, so nothing is evicted before they have looked."""
        start, held = self.length, self._held().to(k.device)
        new = torch.arange(start, start + k.shape[2], device=k.device)
        self._given = torch.cat([held, new])
        k_all, v_all = joined(self._k, k, len(held)), joined(self._v, v, len(held))
        self._seen(start + k.shape[2])
        kept = self._held().to(k.device)
        order = torch.where(kept >= start, len(held) + kept - start, torch.arange(len(kept), device=k.device))
        spare = (0, 0, 0, self.sinks + self.size - len(kept))
        self._k, self._v = pad(k_all.index_select(2, order), spare), pad(v_all.index_select(2, order), spare)
        return k_all, v_all

    def _seen(self, length: int) -> None:
        """Count the tokens, and from which position on the ring has lost none."""
        self.length, self._whole_from = length, max(self._whole_from, length - self.size)

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        if self._k is not None and self._v is not None:
            self._k, self._v = self._k.index_select(0, index), self._v.index_select(0, index)

    def crop(self, length: int) -> None:
        """Forget the tokens from position `length` on; refused where the next token's window needs an evicted one."""
        check_crop(length, self.length)
        if self._whole_from > self.sinks and length < self._whole_from + self.size - 1:
            raise UsageError(
                f"crop({length}) on a window of {self.size}: tokens before {self._whole_from} are evicted, and token {length} "
                f"would see them; crop({self._whole_from + self.size - 1}) or later, reset(), or a KVCache would work"
            )
        self.length, self._given = length, None

    def reset(self) -> None:
        """Forget everything."""
        self.length = self._whole_from = 0
        self._given = self._k = self._v = None


def joined(buffer: Tensor | None, new: Tensor, filled: int) -> Tensor:
    """The filled part of a buffer followed by what is new."""
    return new if buffer is None else torch.cat([buffer[:, :, :filled], new], dim=2)
