"""Which modules of a Hugging Face model attend through its AttentionInterface, and what each hands over there."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from functools import cache
from types import FunctionType
from typing import Any

from torch import nn

CALL = "attention_interface"  # the name that every model of transformers gives to what it looked up


def attending(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """The modules that call the interface, by name, in the order of the model; one that stands at several places, once."""
    return [(name, module) for name, module in model.named_modules() if words(module) is not None]


def words(module: nn.Module) -> frozenset[str] | None:
    """The keywords with which a module calls the interface; None where it does not."""
    kind: Any = type(module)
    return handed(kind)


@cache
def handed(kind: Any) -> frozenset[str] | None:
    """The keywords with which a class calls the interface; None where it does not."""
    found = [call for method in methods(kind) for call in calls(method)]
    return frozenset(keyword.arg for call in found for keyword in call.keywords if keyword.arg) if found else None


def methods(kind: type) -> Iterator[FunctionType]:
    """The functions of a class and of those it is made from, as they stand after each was replaced by the next."""
    own = [base for base in reversed(kind.__mro__) if base is not nn.Module and not base.__module__.startswith(("builtins", "torch."))]
    yield from {name: value for base in own for name, value in vars(base).items() if isinstance(value, FunctionType)}.values()


def calls(method: FunctionType) -> Iterator[ast.Call]:
    """The calls of the interface in a function's source, where there is a source."""
    try:
        source = textwrap.dedent(inspect.getsource(inspect.unwrap(method)))
    except (OSError, TypeError):
        return
    if f"{CALL}(" not in source:
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == CALL:
            yield node
