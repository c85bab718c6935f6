"""How a mask is written: as it is constructed, without the arguments left at their defaults."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import FunctionType

from torch import Tensor


def written(rule: object) -> str:
    """`Window(size=4)`; a tensor is written by its type and shape, a function by its name."""
    if not is_dataclass(rule):
        return f"{type(rule).__name__}()"
    values = vars(rule)
    shown = [f"{f.name}={_value(values[f.name])}" for f in fields(rule) if f.init and f.repr and not _is(values[f.name], f.default)]
    return f"{type(rule).__name__}({', '.join(shown)})"


def _is(value: object, default: object) -> bool:
    return type(value) is type(default) and not isinstance(value, Tensor) and value == default


def _value(value: object) -> str:
    if isinstance(value, Tensor):
        return f"<{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}>"
    return value.__qualname__ if isinstance(value, FunctionType) else repr(value)
