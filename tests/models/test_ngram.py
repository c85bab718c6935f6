"""The counted baselines: shares that sum to one, by hand on a tiny text, and better than guessing on a regular one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from heedful.errors import DataError
from heedful.models.ngram import Ngram


@pytest.mark.parametrize("length", [1, 2, 3])
def test_shares_over_all_next_tokens_sum_to_one(length: int) -> None:
    text = np.random.default_rng(0).integers(0, 7, 400)
    model = Ngram.fit(text, 9, length)
    for context in ([1, 2], [8, 8], [3, 8], [8, 3]):
        total = sum(math.exp(-model.losses(np.array([*context, word]))[-1]) for word in range(9))
        assert total == pytest.approx(1.0, abs=1e-12)


def test_unigram_by_hand() -> None:
    text = np.array([0, 0, 0, 1, 1, 2])  # one token once, one twice: discount 1 / (1 + 2) = 1/3
    model = Ngram.fit(text, 4, 1)
    expected = [(3 - 1 / 3 + 1 / 4) / 6, (2 - 1 / 3 + 1 / 4) / 6, (1 - 1 / 3 + 1 / 4) / 6, (1 / 4) / 6]
    assert np.exp(-model.losses(np.arange(4))) == pytest.approx(expected)


def test_a_regular_text_is_guessed_by_the_trigram_and_not_by_the_unigram() -> None:
    text = np.tile([0, 0, 1, 1], 100)  # what comes next needs two tokens of context
    uni, tri = (Ngram.fit(text, 2, length).losses(text)[2:].mean() for length in (1, 3))
    assert uni == pytest.approx(math.log(2), abs=1e-3)
    assert tri < 0.05


def test_too_short_a_text_is_refused() -> None:
    with pytest.raises(DataError, match="at least 3"):
        Ngram.fit(np.array([1, 2]), 5, 3)
