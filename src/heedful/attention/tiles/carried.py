"""A mask as text and tensors, and back: what a compiled graph can carry of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import lru_cache
from typing import Any

from torch import Tensor

from heedful.attention.masks.algebra import And, Not, Or
from heedful.attention.masks.at import At
from heedful.attention.masks.bigbird import BigBird
from heedful.attention.masks.blocks import Blocks
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.dense import Dense
from heedful.attention.masks.dilated import Dilated
from heedful.attention.masks.documents import Documents
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.padding import Padding
from heedful.attention.masks.prefix import Prefix
from heedful.attention.masks.random import Random
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.strided import Strided
from heedful.attention.masks.window import Window

KINDS: Mapping[str, type[Mask]] = {
    "and": And,
    "or": Or,
    "not": Not,
    "at": At,
    "bigbird": BigBird,
    "blocks": Blocks,
    "causal": Causal,
    "dense": Dense,
    "dilated": Dilated,
    "documents": Documents,
    "padding": Padding,
    "prefix": Prefix,
    "random": Random,
    "sinks": Sinks,
    "strided": Strided,
    "window": Window,
}


def carried(mask: Mask, q_len: int, k_len: int) -> tuple[str, list[Tensor]]:
    """The mask as a nested tuple, written down, and its tensors in the order in which that reads them.

    A function, and any mask that is not of `KINDS`, is carried as the table of its answers.

    >>> from heedful.masks import Sinks
    >>> carried(Causal() & (Sinks(2) | ~Window(3)), 4, 4)
    ("('and', (('causal',), ('or', (('sinks', 2), ('not', ('window', 3, 0))))))", [])
    """
    tensors: list[Tensor] = []
    return repr(_taken(mask, tensors, q_len, k_len)), tensors


def _taken(value: Any, tensors: list[Tensor], q_len: int, k_len: int) -> Any:
    if isinstance(value, Mask):
        for name, kind in KINDS.items():
            if type(value) is kind and is_dataclass(value):
                held = vars(value)
                return (name, *(_taken(held[f.name], tensors, q_len, k_len) for f in fields(value) if f.init))
        value = value.dense(q_len, k_len)
        tensors.append(value)
        return ("dense", f"#{len(tensors) - 1}")
    if isinstance(value, Tensor):
        tensors.append(value)
        return f"#{len(tensors) - 1}"
    if isinstance(value, tuple):
        return tuple(_taken(part, tensors, q_len, k_len) for part in value)
    return value


def restored(text: str, tensors: list[Tensor]) -> Mask:
    """The mask that was carried.

    >>> restored(*carried(Causal() & ~Window(3), 4, 4))
    Causal() & ~Window(size=3)
    """
    mask = _given(_parsed(text), tensors)
    assert isinstance(mask, Mask)
    return mask


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    return ast.literal_eval(text)


def _given(value: Any, tensors: list[Tensor]) -> Any:
    if isinstance(value, tuple) and value and isinstance(value[0], str) and value[0] in KINDS:
        return KINDS[value[0]](*(_given(part, tensors) for part in value[1:]))
    if isinstance(value, tuple):
        return tuple(_given(part, tensors) for part in value)
    return tensors[int(value[1:])] if isinstance(value, str) and value.startswith("#") else value
