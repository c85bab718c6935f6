"""Memory that is used again: fresh pages cost more than the arithmetic done on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from threading import local

import torch
from torch import Tensor

KEPT = 1 << 24  # bytes of the largest buffer that is kept


class Scratch(local):
    """Buffers of this thread by name, kept on the CPU; elsewhere torch's allocator keeps them itself."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, torch.dtype], Tensor] = {}

    def take(self, name: str, shape: Sequence[int], like: Tensor) -> Tensor:
        """A tensor of this shape, of the type and on the device of `like`, holding anything; valid until `name` is taken again."""
        count = math.prod(shape)
        if like.device.type != "cpu" or count * like.element_size() > KEPT:
            return like.new_empty(shape)
        key = (name, like.dtype)
        found = self.kept.get(key)
        if found is None or found.numel() < count:
            with torch.inference_mode(False):  # what is born in inference mode may not be written to outside it
                found = self.kept[key] = torch.empty(count, dtype=like.dtype)
        return found[:count].view(shape)


SCRATCH = Scratch()
