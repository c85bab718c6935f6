"""What `mask=` takes: a mask, a bool tensor, or nothing."""

from __future__ import annotations

import torch
from torch import Tensor

from heedful.attention.masks.dense import Dense
from heedful.attention.masks.mask import Mask
from heedful.errors import UsageError


def as_mask(mask: Mask | Tensor | None) -> Mask | None:
    """The mask; a bool tensor, True where attending is allowed, becomes `Dense`; anything else is refused.

    >>> as_mask(torch.ones(2, 2, dtype=torch.bool))
    Dense(tensor=<bool (2, 2)>)
    >>> as_mask(torch.zeros(2, 2))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    heedful.errors.UsageError: mask= takes booleans, True where ...: found float32 (2, 2); numbers that are added to the scores go to bias=
    """
    if mask is None or isinstance(mask, Mask):
        return mask
    if not isinstance(mask, Tensor):
        raise UsageError(f"mask= takes a mask of heedful.masks or a bool tensor: found {type(mask).__name__}")
    if mask.dtype is torch.bool:
        return Dense(mask)
    found = f"{str(mask.dtype).removeprefix('torch.')} {tuple(mask.shape)}"
    hint = "numbers that are added to the scores go to bias=" if mask.is_floating_point() else "mask.bool() would work"
    raise UsageError(f"mask= takes booleans, True where attending is allowed: found {found}; {hint}")
