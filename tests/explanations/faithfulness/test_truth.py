"""Pointing and alignment error, against the definitions they come from."""

from __future__ import annotations

import pytest
import torch

from heedful.errors import UsageError
from heedful.explanations.faithfulness.truth import Truth, points, precision


def test_the_mean_of_points_is_one_less_the_alignment_error() -> None:
    """Och & Ney 2003, eq. 12, over links of the answers 0 to 3, one sure unit each."""
    sure, possible = {(0, 0), (1, 1), (2, 0), (3, 2)}, {(0, 0), (1, 1), (2, 0), (3, 2), (1, 2), (2, 1)}
    scores = torch.tensor([[3.0, 1.0, 0.0], [0.0, 1.0, 2.0], [1.0, 0.0, 2.0], [0.0, 1.0, 5.0]])
    links = {(row, int(scores[row].argmax())) for row in range(4)}
    error = 1 - (len(links & sure) + len(links & possible)) / (len(links) + len(sure))
    found = []
    for row in range(4):
        right, maybe = (torch.tensor([(row, unit) in kind for unit in range(3)]) for kind in (sure, possible))
        found.append(points(scores[row], Truth(torch.ones(3, dtype=torch.bool), right, maybe)))
    assert sum(found) / 4 == pytest.approx(1 - error)


def test_units_that_are_not_asked_neither_win_nor_count() -> None:
    asked, sure = torch.tensor([True, True, False]), torch.tensor([False, True, False])
    truth = Truth(asked, sure, sure)
    scores = torch.tensor([0.1, 0.5, 9.0])
    assert points(scores, truth) == 1.0
    assert precision(scores, truth) == 1.0
    assert precision(torch.tensor([0.6, 0.5, 9.0]), truth) == 0.5


def test_something_must_be_right() -> None:
    with pytest.raises(UsageError, match="one sure unit"):
        Truth.of(torch.tensor([False, False]))
