"""Small modules beside a model's own weights, which learn while the model stays as it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from heedful.spec.check import one_of, positive

Kept = Literal["prefix", "bottleneck"]


@dataclass(frozen=True)
class AdapterSpec:
    """What stands beside each layer: a `prefix` of `size` learned keys and values, or a `bottleneck` of `size` units.

    LoRA is missing here because it is merged: it leaves a model of the same parts.

    >>> AdapterSpec("prefix", size=8).size
    8
    """

    method: Kept
    size: int = 16

    def __post_init__(self) -> None:
        one_of("method", self.method, get_args(Kept))
        positive({"size": self.size})
