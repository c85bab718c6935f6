from __future__ import annotations

import pytest
import torch

from heedful.explanations.tokens import thin, visible


def test_short_lists_stay_as_they_are() -> None:
    matrix = torch.rand(4, 6)
    same = thin(matrix, list("abcd"), list("uvwxyz"), 6)
    assert same.step == 1
    assert same.matrix is matrix


@pytest.mark.parametrize(("rows", "columns"), [(9, 9), (10, 7), (1, 100)])
def test_a_block_shows_its_largest_weight(rows: int, columns: int) -> None:
    matrix = torch.zeros(rows, columns)
    matrix[-1, -1] = 0.7
    small = thin(matrix, [str(i) for i in range(rows)], [str(i) for i in range(columns)], 4)
    assert max(small.matrix.shape) <= 4
    assert small.matrix.shape == (len(small.queries), len(small.keys))
    assert small.matrix[-1, -1] == 0.7
    assert small.matrix.isfinite().all()
    assert small.keys[1:2] in ([str(small.step)], [])


def test_white_space_and_controls_can_be_seen() -> None:
    assert [visible(token) for token in (" ", "\n", "", "a b", "\x1b", "书")] == ["␣", "↵", "∅", "a␣b", "\\x1b", "书"]
