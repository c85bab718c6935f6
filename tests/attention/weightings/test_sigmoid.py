from __future__ import annotations

import math

import pytest
import torch

from heedful.errors import UsageError
from heedful.weightings import Sigmoid


def test_each_key_on_its_own() -> None:
    scores = torch.tensor([[0.0, 2.0], [0.0, -5.0]], dtype=torch.float64)
    torch.testing.assert_close(Sigmoid(bias=-1.0)(scores), 1 / (1 + torch.exp(1.0 - scores)))


def test_log_length_counts_the_keys_of_each_row() -> None:
    scores = torch.zeros(3, 4, dtype=torch.float64)
    scores[1, 2:] = -math.inf
    scores[2] = -math.inf
    torch.testing.assert_close(
        Sigmoid(bias="log_length")(scores),
        torch.tensor([[1 / 5] * 4, [1 / 3, 1 / 3, 0, 0], [0.0] * 4], dtype=torch.float64),
    )


def test_another_word_is_refused() -> None:
    with pytest.raises(UsageError, match=r"bias='length'.*'log_length' would work"):
        Sigmoid(bias="length")
