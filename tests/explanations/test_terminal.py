from __future__ import annotations

import torch
from rich.cells import cell_len

from heedful.explanations.terminal import blocks


def test_every_line_fits_the_width() -> None:
    tokens = [f"a-rather-long-token-{i}" for i in range(90)]
    lines = blocks(torch.rand(90, 90), tokens, tokens, width=60).plain.splitlines()
    assert max(map(cell_len, lines)) <= 60
    assert lines[-1] == "(each cell is the largest of 4 × 4)"


def test_chinese_labels_stand_over_their_columns() -> None:
    head, *rows = blocks(torch.eye(3), list("我爱书"), list("我爱书")).plain.splitlines()
    assert head == "   我爱书"
    assert [row.index("██") for row in rows] == [2, 4, 6]  # one character of label, one space, two columns a cell


def test_shades_rise_with_the_weight() -> None:
    row = blocks(torch.tensor([[0.0, 0.1, 0.4, 0.7, 1.0]]), ["q"], list("abcde")).plain.splitlines()[1]
    assert row == "q   ░░▒▒▓▓██"
