"""Schedules kept: a mask that says the same about the same lengths is looked at once."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.attention.schedule.build import build
from heedful.attention.schedule.identity import Identity, identity
from heedful.attention.schedule.schedule import Schedule

ENTRIES = 64
BYTES = 1 << 28

Key = tuple[object, ...]


@dataclass(slots=True, eq=False)
class Kept:
    """A schedule and the tensors its mask was made of."""

    schedule: Schedule
    tensors: tuple[weakref.ref[Tensor], ...]

    def of(self, tensors: tuple[Tensor, ...]) -> bool:
        """Whether these are the tensors, and not others that came to stand at their place."""
        return all(kept() is tensor for kept, tensor in zip(self.tensors, tensors, strict=True))


@final
@dataclass(slots=True, eq=False)
class Cache:
    """The schedules used last, at most `entries` of them, of `size` bytes unless a single one has more; safe to share between threads."""

    entries: int = ENTRIES
    size: int = BYTES
    kept: OrderedDict[Key, Kept] = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def nbytes(self) -> int:
        """The bytes of the schedules."""
        return sum(held.schedule.nbytes for held in self.kept.values())

    def found(self, key: Key, known: Identity) -> Schedule | None:
        """The schedule kept under the key."""
        with self.lock:
            held = self.kept.get(key)
            if held is None or not held.of(known.tensors):
                return None
            self.kept.move_to_end(key)
            return held.schedule

    def keep(self, key: Key, known: Identity, schedule: Schedule) -> None:
        """Keep a schedule; those whose tensors are gone, and beyond the bounds those used longest ago, go."""
        with self.lock:
            for old in [old for old, held in self.kept.items() if any(ref() is None for ref in held.tensors)]:
                del self.kept[old]
            self.kept[key] = Kept(schedule, tuple(weakref.ref(tensor) for tensor in known.tensors))
            self.kept.move_to_end(key)
            while len(self.kept) > self.entries or (len(self.kept) > 1 and self.nbytes > self.size):
                self.kept.popitem(last=False)


KEPT = Cache()


def schedule(mask: Mask, batch: int, heads: int, q_len: int, k_len: int, device: torch.device) -> Schedule:
    """The schedule of a mask for so many sequences, heads, queries and keys, made at most once while the mask stays what it is.

    >>> from heedful.masks import Causal, Window
    >>> one = schedule(Causal() & Window(9), 2, 4, 100, 100, torch.device("cpu"))
    >>> one is schedule(Causal() & Window(9), 2, 4, 100, 100, torch.device("cpu"))
    True
    """
    known = identity(mask)
    if known is None:
        return _built(mask, batch, heads, q_len, k_len, device)
    key = (known.key, batch, heads, q_len, k_len, device)
    held = KEPT.found(key, known)
    if held is None:
        held = _built(mask, batch, heads, q_len, k_len, device)
        KEPT.keep(key, known, held)
    return held


def _built(mask: Mask, batch: int, heads: int, q_len: int, k_len: int, device: torch.device) -> Schedule:
    # Kept beyond the call, it must be of plain tensors whatever mode the call is made in.
    with torch.inference_mode(False), torch.no_grad():
        return build(mask.over(batch, heads), q_len, k_len, device)
