"""Specs as YAML, with errors that name the file, the line and the field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml

from heedful.errors import DataError, UsageError
from heedful.spec.check import SpecError
from heedful.spec.plain import build, plain

S = TypeVar("S")
BOOLEAN = "tag:yaml.org,2002:bool"
FLOAT = "tag:yaml.org,2002:float"
TRUTH = r"^(?:true|True|TRUE|false|False|FALSE)$"
NUMBER = r"^[-+]?(?:(?:\d[\d_]*\.[\d_]*|\.\d+)(?:[eE][-+]?\d+)?|\d+[eE][-+]?\d+|\.(?:inf|nan))$"


def resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """Which plain words are not text, by their first letter: only true and false are truth values (`precision: no` is
    text), and 1e-3 is a number."""
    kept = yaml.SafeLoader.yaml_implicit_resolvers
    rules = {first: [rule for rule in row if rule[0] not in (BOOLEAN, FLOAT)] for first, row in kept.items()}
    for tag, letters, pattern in ((BOOLEAN, "tTfF", TRUTH), (FLOAT, "-+0123456789.", NUMBER)):
        for letter in letters:
            rules.setdefault(letter, []).append((tag, re.compile(pattern)))
    return rules


class Loader(yaml.SafeLoader):
    """YAML as people write it."""

    yaml_implicit_resolvers = resolvers()


class Dumper(yaml.SafeDumper):
    """One field a line, lists in a row."""

    def represent_sequence(self, tag: str, sequence: Iterable[Any], flow_style: bool | None = None) -> yaml.SequenceNode:
        """Brackets for every list."""
        return super().represent_sequence(tag, sequence, flow_style=True)


def load(path: Path, kind: type[S]) -> S:
    """The spec of `kind` that the file holds.

    Raises `DataError` if the file cannot be read and `UsageError` if it does not say a spec.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file: a YAML file with the fields of {kind.__name__} would work") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    return parse(text, kind, name=str(path))


def parse(text: str, kind: type[S], name: str = "the text") -> S:
    """The spec of `kind` that `text` says; `name` is what errors call it.

    >>> from heedful.spec.train import TrainSpec
    >>> parse("steps: 10", TrainSpec).steps
    10
    >>> parse("stpes: 10", TrainSpec, "a.yaml")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    heedful.errors.UsageError: a.yaml line 1: stpes: unknown field: did you mean 'steps'? (...)
    """
    root = compose(text, name)
    lines = dict(places(root, (), name))
    try:
        return build(kind, construct(root, name) or {})
    except SpecError as error:
        raise UsageError(f"{name}{line_of(lines, error.field)}: {error}") from None


def dump(spec: object) -> str:
    """The spec as YAML, in the order of its fields.

    >>> from heedful.spec.attention import MechanismSpec
    >>> dump(MechanismSpec("window", {"size": 64}))
    'name: window\\nsize: 64\\n'
    """
    return yaml.dump(plain(spec), Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=120)


def override(spec: S, settings: Iterable[str]) -> S:
    """The spec with settings such as `model.width=128` applied; values are read as YAML.

    Another `kind` of model starts from that kind's defaults. Raises `UsageError` naming the setting.

    >>> from heedful.spec.task import RunSpec
    >>> override(RunSpec(), ["model.width=64", "model.attention.mask={name: window, size: 32}"]).model.width
    64
    """
    data = plain(spec)
    pairs = [setting(text) for text in settings]
    for path, value in sorted(pairs, key=lambda pair: pair[0][-1] != "kind"):
        place(data, path, value)
    try:
        return build(type(spec), data)
    except SpecError as error:
        raise UsageError(f"setting {error}") from None


def setting(text: str) -> tuple[list[str], object]:
    """`a.b=value` as a path and a value."""
    path, equals, value = text.partition("=")
    if not equals or not all(path.split(".")):
        raise UsageError(f"setting {text!r}: a setting is written field=value, for example model.width=128")
    return path.strip().split("."), construct(compose(value, f"setting {path}"), f"setting {path}")


def place(data: dict[str, Any], path: list[str], value: object) -> None:
    """Put `value` at `path`; a mechanism's bare name makes room for its options."""
    for key in path[:-1]:
        if isinstance(data.get(key), str):
            data[key] = {"name": data[key]}
        if not isinstance(data.get(key), dict):
            data[key] = {}
        data = data[key]
    if path[-1] == "kind" and data.get("kind") != value:
        data.clear()
    data[path[-1]] = value


def compose(text: str, name: str) -> yaml.Node | None:
    """The text as a tree of nodes that know their lines."""
    try:
        return yaml.compose(text, Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" line {mark.line + 1}" if mark else ""
        raise UsageError(f"{name}{where}: not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{name}: not YAML: {' '.join(str(error).split())}") from None


def construct(root: yaml.Node | None, name: str) -> object:
    """The tree as plain data."""
    if root is None:
        return None
    loader = Loader("")
    try:
        return loader.construct_document(root)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise UsageError(f"{name} line {mark.line + 1 if mark else 1}: {error.problem}") from None
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
    finally:
        loader.dispose()


def places(node: yaml.Node | None, path: tuple[str, ...], name: str) -> Iterator[tuple[str, int]]:
    """Every field and the line it stands on; a field that stands twice is refused."""
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            here, line = (*path, str(key.value)), key.start_mark.line + 1
            if key.value in seen:
                raise UsageError(f"{name} line {line}: {'.'.join(here)} is already set on line {seen[key.value]}")
            seen[key.value] = line
            yield ".".join(here), line
            yield from places(value, here, name)
    elif isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            yield ".".join((*path, str(i))), item.start_mark.line + 1
            yield from places(item, (*path, str(i)), name)


def line_of(lines: dict[str, int], field: str) -> str:
    """ " line 7" for a field, or for the nearest record around it that has a line."""
    while field:
        if field in lines:
            return f" line {lines[field]}"
        field = field.rpartition(".")[0]
    return ""
