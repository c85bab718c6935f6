"""Rotary embedding stretched beyond the length a model was trained on: how each scheme changes the frequencies.

Linear: Chen et al. 2023, 2306.15595. NTK and YaRN: Peng et al. 2023, 2309.00071. Llama3: Dubey et al. 2024, 2407.21783.
"""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.errors import UsageError, unknown


class Scaling(ABC):
    """Radians a position (f,), fastest first -> the same, stretched."""

    factor: float

    @abstractmethod
    def __call__(self, frequencies: Float[Tensor, " f"], base: float) -> Float[Tensor, " f"]:
        """The stretched frequencies of an embedding with this base."""

    @property
    def amplitude(self) -> float:
        """The factor on cosine and sine, hence its square on the scores."""
        return 1.0


@dataclass(frozen=True)
class LinearScaling(Scaling):
    """Every position divided by `factor` (position interpolation)."""

    factor: float

    def __call__(self, frequencies: Float[Tensor, " f"], base: float) -> Float[Tensor, " f"]:
        """The stretched frequencies of an embedding with this base."""
        return frequencies / self.factor


@dataclass(frozen=True)
class NTKScaling(Scaling):
    """The base raised so that the slowest frequency is divided by `factor` and the fastest stays."""

    factor: float

    def __call__(self, frequencies: Float[Tensor, " f"], base: float) -> Float[Tensor, " f"]:
        """The stretched frequencies of an embedding with this base."""
        return frequencies * self.factor ** -_rank(frequencies, last=1.0)


@dataclass(frozen=True)
class YaRNScaling(Scaling):
    """Slow frequencies divided by `factor`, fast ones kept, a ramp between; scores sharpened by the amplitude.

    Args:
        factor: how many times longer than before.
        original_length: tokens the model was trained on.
        beta_fast: turns over the original length from which a frequency is kept.
        beta_slow: turns under which it is divided.
        attention_factor: the amplitude; 0.1 ln(factor) + 1 unless given.
        truncate: widen the ramp to whole ranks.
    """

    factor: float
    original_length: int
    beta_fast: float = 32.0
    beta_slow: float = 1.0
    attention_factor: float | None = None
    truncate: bool = True

    def __call__(self, frequencies: Float[Tensor, " f"], base: float) -> Float[Tensor, " f"]:
        """The stretched frequencies of an embedding with this base."""
        d = 2 * frequencies.shape[0]
        low, high = self._rank_of(self.beta_fast, d, base), self._rank_of(self.beta_slow, d, base)
        if self.truncate:
            low, high = math.floor(low), math.ceil(high)
        low, high = max(low, 0), min(high, d - 1)
        ramp = ((_rank(frequencies) - low) / max(high - low, 0.001)).clamp(0.0, 1.0)
        return frequencies / self.factor * ramp + frequencies * (1.0 - ramp)

    def _rank_of(self, turns: float, d: int, base: float) -> float:
        return d * math.log(self.original_length / (turns * 2 * math.pi)) / (2 * math.log(base))

    @property
    def amplitude(self) -> float:
        """The factor on cosine and sine."""
        if self.attention_factor is not None:
            return self.attention_factor
        return 0.1 * math.log(self.factor) + 1.0 if self.factor > 1.0 else 1.0


@dataclass(frozen=True)
class Llama3Scaling(Scaling):
    """Wavelengths beyond original_length / low divided by `factor`, those under original_length / high kept, a blend between."""

    factor: float
    original_length: int
    low: float = 1.0
    high: float = 4.0

    def __call__(self, frequencies: Float[Tensor, " f"], base: float) -> Float[Tensor, " f"]:
        """The stretched frequencies of an embedding with this base."""
        turns = self.original_length * frequencies / (2 * math.pi)
        keep = ((turns - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
        return (1.0 - keep) * frequencies / self.factor + keep * frequencies


SCALINGS: Mapping[str, type[Scaling]] = {
    "linear": LinearScaling,
    "ntk": NTKScaling,
    "yarn": YaRNScaling,
    "llama3": Llama3Scaling,
}


def as_scaling(scaling: object) -> Scaling | None:
    """A scaling from itself, from a linear factor, or from {"name": "yarn", "factor": 4.0, ...} as a file has it."""
    if scaling is None or isinstance(scaling, Scaling):
        found = scaling
    elif isinstance(scaling, Mapping):
        found = _from_mapping(scaling)
    elif isinstance(scaling, int | float):
        found = LinearScaling(float(scaling))
    else:
        raise UsageError(
            f'RoPE was given scaling={scaling!r}: a factor, or a mapping such as {{"name": "yarn", "factor": 4.0, ...}}, would work'
        )
    if found is not None and found.factor <= 0.0:
        raise UsageError(f"RoPE was given the scaling factor {found.factor}: above 0 would work, 4.0 serves a text four times as long")
    return found


def _from_mapping(options: Mapping[str, Any]) -> Scaling:
    name = options.get("name")
    if not isinstance(name, str) or name not in SCALINGS:
        raise unknown("RoPE scaling", name, SCALINGS)
    signature = inspect.signature(SCALINGS[name])
    given = {option: value for option, value in options.items() if option != "name"}
    for option in given:
        if option not in signature.parameters:
            raise unknown(f"option of RoPE scaling {name}", option, signature.parameters)
    missing = [p.name for p in signature.parameters.values() if p.default is p.empty and p.name not in given]
    if missing:
        raise UsageError(f"RoPE scaling {name!r} was given {', '.join(given) or 'nothing'}: {', '.join(missing)} would complete it")
    return SCALINGS[name](**given)


def _rank(frequencies: Float[Tensor, " f"], last: float | None = None) -> Float[Tensor, " f"]:
    count = frequencies.shape[0]
    rank = torch.arange(count, device=frequencies.device, dtype=frequencies.dtype)
    return rank if last is None else rank * (last / max(count - 1, 1))
