"""A model whose answer is a sum over its units, so that every measure can be worked out by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from heedful.explanations.rules.rules import Rules
from heedful.explanations.subject import Looked, Subject


class Additive(Subject):
    """p = σ(Σ weights of the units that are left)."""

    no_attention = "it has none"

    def __init__(self, weights: Sequence[float], seed: int | None = None) -> None:
        self.weights = torch.tensor(weights, dtype=torch.float64)
        if seed is not None:
            self.weights = torch.randn(len(weights), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        self.names, self.places = tuple("abcdefghijklmnop"[: len(weights)]), tuple((i,) for i in range(len(weights)))
        self.answer = "it"
        self.rows = 0

    def scored(self, kept: Tensor, replacement: str | None = None) -> Tensor:
        self.rows += len(kept)
        return torch.nn.functional.logsigmoid(kept.double() @ self.weights)

    @property
    def features(self) -> Tensor:
        return torch.ones(len(self.weights), 4, dtype=torch.float64)

    @property
    def baseline(self) -> Tensor:
        return torch.zeros(len(self.weights), 4, dtype=torch.float64)

    def of_features(self, features: Tensor) -> Tensor:
        return torch.nn.functional.logsigmoid(features.mean(-1) @ self.weights)

    @property
    def reading(self) -> Tensor:
        raise AssertionError

    def looked(self) -> Looked:
        raise AssertionError

    @contextmanager
    def ruled(self, rules: Rules) -> Iterator[None]:
        yield

    def silenced(self, heads: Sequence[tuple[int, int]]) -> Tensor:
        raise AssertionError

    def randomised(self, seed: int) -> Subject:
        return Additive(self.weights.tolist(), seed)


@pytest.fixture
def additive() -> Additive:
    return Additive([2.0, -1.0, 0.5, 1.0])
