"""What may vary: fields of a spec by their path, each with a range of numbers or a list of choices."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from heedful.errors import DataError, UsageError
from heedful.spec.task import RunSpec
from heedful.spec.yaml import compose, construct, override

if TYPE_CHECKING:
    from optuna.trial import Trial

FORM = "a list of choices, or {low: 1, high: 8} with step: or log: true, would work"


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, both taken in; whole ones if both are, `step` apart, or even in their logarithm."""

    low: float
    high: float
    step: float | None = None
    log: bool = False

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def suggested(self, name: str, trial: Trial) -> object:
        """A value for this trial."""
        if self.whole:
            return trial.suggest_int(name, int(self.low), int(self.high), step=int(self.step or 1), log=self.log)
        return trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)

    def told(self, value: object) -> object:
        """The value that a stored one stands for."""
        return value

    @property
    def examples(self) -> Sequence[object]:
        """Its ends."""
        return (self.low, self.high)


@dataclass(frozen=True)
class Choices:
    """One of several values, of any form that the field takes."""

    values: tuple[object, ...]

    def suggested(self, name: str, trial: Trial) -> object:
        """A value for this trial."""
        return self.told(trial.suggest_categorical(name, [label(value) for value in self.values]))

    def told(self, value: object) -> object:
        """The value that a stored one stands for."""
        return next(each for each in self.values if label(each) == value)

    @property
    def examples(self) -> Sequence[object]:
        """All of them."""
        return self.values


Axis = Span | Choices
Space = Mapping[str, Axis]


def label(value: object) -> str | int | float | bool | None:
    """How a choice is stored: numbers, truth values and nothing as they are, the rest as text."""
    return value if value is None or isinstance(value, bool | int | float) else json.dumps(value, sort_keys=True)


def read_space(path: Path | None, settings: Sequence[str]) -> dict[str, Axis]:
    """The space of a YAML file (a field a line) and of settings such as `model.width=[64, 128]`.

    >>> read_space(None, ["train.learning_rate={low: 1e-4, high: 1e-2, log: true}"])
    {'train.learning_rate': Span(low=0.0001, high=0.01, step=None, log=True)}

    Raises `UsageError` for what is neither choices nor a span, `DataError` for a file that cannot be read.
    """
    space = {} if path is None else from_file(path)
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--vary {setting!r}: a field that varies is written field=VALUES; {FORM}")
        space[name.strip()] = axis(name, construct(compose(text, f"--vary {name}"), f"--vary {name}"))
    if not space:
        raise UsageError("nothing varies: --space FILE, or --vary model.width=[64, 128], would work")
    return space


def from_file(path: Path) -> dict[str, Axis]:
    """The space of a YAML file."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a space: {error}") from None
    found = construct(compose(text, str(path)), str(path))
    if not isinstance(found, dict) or not found:
        raise UsageError(f"{path}: a space has a field a line, such as model.width: [64, 128]; found {type(found).__name__}")
    return {name: axis(name, data) for name, data in flat(found).items()}


def flat(data: Mapping[Any, Any], prefix: str = "") -> dict[str, object]:
    """Nested fields as `a.b`; a span, known by its `low`, ends a path."""
    out: dict[str, object] = {}
    for name, value in data.items():
        nested = isinstance(value, Mapping) and "low" not in value
        out |= flat(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": value}
    return out


def axis(name: str, data: object) -> Axis:
    """Choices or a span from plain data."""
    if isinstance(data, list) and len(data) > 1:
        return Choices(tuple(data))
    if isinstance(data, Mapping) and {"low", "high"} <= data.keys() <= {"low", "high", "step", "log"}:
        return span(name, data)
    raise UsageError(f"{name}: what varies is given as {data!r}: {FORM}")


def span(name: str, data: Mapping[str, Any]) -> Span:
    """A span whose numbers make sense."""
    low, high, step, log = data["low"], data["high"], data.get("step"), data.get("log", False)
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (low, high, step or 1))
    if not numbers or not low < high or (step is not None and step <= 0) or not all(map(math.isfinite, (low, high))):
        raise UsageError(f"{name}: low must be below high, both numbers, and step above 0: found {dict(data)}")
    if log and (step is not None or low <= 0):
        raise UsageError(f"{name}: log: true goes with low above 0 and without step: found {dict(data)}")
    whole = isinstance(low, int) and isinstance(high, int)
    return Span(low, high, step, bool(log)) if whole else Span(float(low), float(high), step, bool(log))


def settings_of(values: Mapping[str, object]) -> list[str]:
    """The values as settings, which `override` takes."""
    return [f"{name}={json.dumps(value)}" for name, value in values.items()]


def check_space(spec: RunSpec, space: Space) -> None:
    """Refuse fields that the spec does not have, and values that none of its fields takes, before anything is trained.

    A value may still fail beside others of the same trial (heads that do not divide a width): that trial alone fails.
    """
    for name, each in space.items():
        errors = [refusal(spec, name, value) for value in each.examples]
        if all(errors):
            raise UsageError(str(errors[0]))


def refusal(spec: RunSpec, name: str, value: object) -> str | None:
    """Why the spec does not take this value here; None where it does."""
    try:
        override(spec, settings_of({name: value}))
    except UsageError as error:
        return str(error)
    return None


def kind_of(each: Axis) -> Literal["choices", "whole", "log", "number"]:
    """How an axis is drawn."""
    if isinstance(each, Choices):
        return "choices"
    return "log" if each.log else "whole" if each.whole else "number"
