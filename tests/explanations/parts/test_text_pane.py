from __future__ import annotations

import re

import pytest
import torch

from heedful.errors import ShapeError
from heedful.explanations.parts.text import MOST, text_pane


def test_each_made_token_lists_what_it_looked_at_most() -> None:
    weights = torch.zeros(2, 40)
    weights[0, :30] = torch.arange(30.0).softmax(0)
    weights[1, 7] = 1.0
    whole = text_pane([f"w{i} " for i in range(40)], weights, 38, "looks")
    first, second = re.findall(r'data-looks="([^"]*)"', whole)
    assert first.startswith("29:63 28:23 27:9")
    assert len(first.split()) <= MOST
    assert second == "7:100"


def test_one_token_is_in_the_tab_order_and_arrows_reach_the_rest() -> None:
    whole = text_pane(list("abcd"), torch.ones(3, 4) / 4, 1, "looks")
    assert re.findall(r'tabindex="(-?\d)"', whole) == ["0", "-1", "-1"]


def test_text_is_escaped_and_lines_break() -> None:
    whole = text_pane(["<script>", "\n", "b"], torch.ones(1, 3) / 3, 2, "looks")
    assert "<script" not in whole
    assert "<i>↵</i>\n</span>" in whole


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"need weights \(1, 3\)"):
        text_pane(list("abc"), torch.zeros(3, 3), 2, "looks")
