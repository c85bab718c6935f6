"""Specs to and from plain data (dicts, lists, text, numbers), as files and checkpoints hold them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from heedful.spec.attention import MechanismSpec
from heedful.spec.check import SpecError, one_of

S = TypeVar("S")
Path = tuple[str, ...]
NAMES = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def plain(value: object) -> Any:
    """A spec as plain data, ready for JSON and YAML.

    >>> plain(MechanismSpec("rope"))
    'rope'
    >>> plain(MechanismSpec("window", {"size": 64}))
    {'name': 'window', 'size': 64}
    """
    if isinstance(value, MechanismSpec):
        return {"name": value.name, **value.options} if value.options else value.name
    if is_dataclass(value):
        return {name: plain(item) for name, item in vars(value).items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def build(kind: type[S], data: object) -> S:
    """Plain data as a spec of `kind`; `SpecError` names the whole path of the first field that does not fit.

    >>> build(MechanismSpec, "rope")
    MechanismSpec(name='rope', options={})
    """
    return cast(S, convert(kind, data, ()))


def convert(kind: Any, data: object, path: Path) -> object:
    """`data` as a value of the type `kind`, found at `path`."""
    if kind is MechanismSpec:
        return mechanism(data, path)
    if is_dataclass(kind):
        return record(cast(type[Any], kind), data, path)
    if get_origin(kind) is UnionType:
        return union(get_args(kind), data, path)
    if get_origin(kind) is Literal:
        return choice(get_args(kind), data, path)
    if get_origin(kind) is tuple:
        return sequence(get_args(kind), data, path)
    return scalar(kind, data, path)


def scalar(kind: type, data: object, path: Path) -> object:
    """A number, a text or a truth value; a whole number serves as a number, nothing else is bent."""
    if kind is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if isinstance(data, kind) and (kind is bool or not isinstance(data, bool)):
        return data
    raise refused(path, f"wants {NAMES.get(kind, kind.__name__)}, found {described(data)}")


def choice(options: tuple[str, ...], data: object, path: Path) -> object:
    """One of a few texts."""
    if not isinstance(data, str):
        raise refused(path, f"wants one of {', '.join(options)}, found {described(data)}")
    one_of(dotted(path), data, options)
    return data


def sequence(kinds: tuple[Any, ...], data: object, path: Path) -> object:
    """A list of one kind (a single item stands for a list of one), or one of fixed length."""
    running = len(kinds) == 2 and kinds[1] is Ellipsis
    if running:
        items = data if isinstance(data, list) else [] if data is None else [data]
        return tuple(convert(kinds[0], item, (*path, str(i))) for i, item in enumerate(items))
    if not isinstance(data, list) or len(data) != len(kinds):
        raise refused(path, f"wants a list of {len(kinds)}, found {described(data)}")
    return tuple(convert(kind, item, (*path, str(i))) for i, (kind, item) in enumerate(zip(kinds, data, strict=True)))


def union(kinds: tuple[Any, ...], data: object, path: Path) -> object:
    """A value that may be missing, or one of several records told apart by their `kind`."""
    if data is None and NoneType in kinds:
        return None
    present = [kind for kind in kinds if kind is not NoneType]
    if len(present) == 1:
        return convert(present[0], data, path)
    if not isinstance(data, Mapping):
        raise refused(path, f"wants fields and their values, found {described(data)}")
    named = {get_args(hints(kind)["kind"])[0]: kind for kind in present}
    name = choice(tuple(named), data.get("kind", next(iter(named))), (*path, "kind"))
    return convert(named[cast(str, name)], data, path)


def mechanism(data: object, path: Path) -> MechanismSpec:
    """A name, or a name with options beside it."""
    if isinstance(data, str):
        return made(MechanismSpec, {"name": data}, path)
    if not isinstance(data, Mapping) or not isinstance(data.get("name"), str):
        raise refused(path, f"wants a name or {{name: ..., option: ...}}, found {described(data)}")
    options = {str(key): value for key, value in data.items() if key != "name"}
    return made(MechanismSpec, {"name": data["name"], "options": options}, path)


def record(kind: type[Any], data: object, path: Path) -> object:
    """A spec from its fields; missing ones take their defaults, unknown ones are refused."""
    if not isinstance(data, Mapping):
        raise refused(path, f"wants fields and their values, found {described(data)}")
    known = hints(kind)
    for name in data:
        if name not in known:
            raise refused((*path, str(name)), f"unknown field: {nearest(str(name), list(known))}")
    return made(kind, {name: convert(known[name], data[name], (*path, name)) for name in known if name in data}, path)


def made(kind: type[S], values: Mapping[str, object], path: Path) -> S:
    """The spec itself; what its own checks refuse is named by its whole path."""
    try:
        return kind(**values)
    except SpecError as error:
        raise refused((*path, error.field), error.reason) from None


def hints(kind: type[Any]) -> dict[str, Any]:
    """The fields of a spec and their types."""
    types = get_type_hints(kind)
    return {field.name: types[field.name] for field in fields(kind)}


def nearest(name: str, known: list[str]) -> str:
    """What would have worked in place of `name`."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}? ({', '.join(known)})" if close else f"one of {', '.join(known)} would work"


def described(data: object) -> str:
    """What was found, by value and kind."""
    if data is None:
        return "nothing (null)"
    if isinstance(data, Mapping):
        return "fields " + ", ".join(map(str, data)) if data else "no fields"
    if isinstance(data, list):
        return f"a list of {len(data)}"
    return f"{data!r} ({NAMES.get(type(data), type(data).__name__)})"


def dotted(path: Path) -> str:
    """A path as people write it."""
    return ".".join(path)


def refused(path: Path, reason: str) -> SpecError:
    """The error for what stands at `path`."""
    return SpecError(dotted(path) or "the file", reason)
