"""What a mask is made of: two masks of the same identity say the same."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from types import CodeType, FunctionType, ModuleType
from typing import final

import torch
from torch import Tensor

from heedful.attention.masks.mask import Mask

PLAIN = (int, float, bool, str, bytes, type(None))


@final
@dataclass(slots=True, eq=False)
class Identity:
    """A key that is equal for masks that say the same as long as they hold the same tensors, and these."""

    key: object
    tensors: tuple[Tensor, ...]


def identity(mask: Mask) -> Identity | None:
    """The identity of a mask: its kind and what it holds, a tensor by itself and how often it was written to.

    None where that is not known: a function of things that may change unseen, a tensor that does not count its writes.
    """
    tensors: list[Tensor] = []
    key = _key(mask, tensors)
    return None if key is None else Identity(key, tuple(tensors))


def _key(value: object, tensors: list[Tensor]) -> object | None:
    if isinstance(value, PLAIN):
        return type(value), value
    if isinstance(value, Tensor):
        if value.is_inference():
            return None
        tensors.append(value)
        return Tensor, id(value), value._version
    if isinstance(value, tuple):
        return _keys(value, tensors)
    if isinstance(value, Mask) and is_dataclass(value):
        held = vars(value)
        inside = _keys((held[f.name] for f in fields(value) if f.init), tensors)
        return None if inside is None else (type(value), inside)
    return _function(value, tensors) if isinstance(value, FunctionType) else None


def _keys(values: Iterable[object], tensors: list[Tensor]) -> tuple[object, ...] | None:
    found = [_key(value, tensors) for value in values]
    return None if any(key is None for key in found) else tuple(found)


def _function(function: FunctionType, tensors: list[Tensor]) -> object | None:
    """A function by its code and by what it reads, where these are numbers, tensors, torch, math and what is built in."""
    code = function.__code__
    if any(isinstance(constant, CodeType) for constant in code.co_consts):
        return None
    try:
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
    except ValueError:  # a name that is not bound yet
        return None
    read = [function.__globals__[name] for name in code.co_names if name in function.__globals__]
    modules = [value for value in read if isinstance(value, ModuleType)]
    if any(module not in (torch, math) for module in modules) or function.__kwdefaults__:
        return None
    values = (*cells, *(function.__defaults__ or ()), *(value for value in read if not isinstance(value, ModuleType)))
    inside = None if any(isinstance(value, FunctionType) for value in values) else _keys(values, tensors)
    return None if inside is None else (code, inside)
