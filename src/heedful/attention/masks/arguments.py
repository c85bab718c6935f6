"""The checks that the rules share on what they are given."""

from __future__ import annotations

import torch
from torch import Tensor

from heedful.errors import ShapeError, UsageError


def whole(rule: str, name: str, value: object, least: int) -> None:
    """Refuse anything but a whole number of `least` or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{rule}({name}=...) is a whole number of {least} or more: found {value!r}")


def integers(rule: str, name: str, value: object, axes: str) -> Tensor:
    """The value as a tensor of integers with as many axes as `axes` names, such as "b n"; refused otherwise."""
    tensor = value if isinstance(value, Tensor) else torch.as_tensor(value)
    rank = len(axes.split())
    if tensor.dtype.is_floating_point or tensor.dtype.is_complex or tensor.dtype is torch.bool:
        raise UsageError(f"{rule}({name}=...) holds whole numbers: found {str(tensor.dtype).removeprefix('torch.')}")
    if tensor.dim() != rank:
        raise ShapeError(f"{rule}({name}=...) has the axes ({axes.replace(' ', ', ')}): found the shape {tuple(tensor.shape)}")
    return tensor


def seed(rule: str, value: object) -> None:
    """Refuse anything but a whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise UsageError(f"{rule}(seed=...) is a whole number: found {value!r}")
