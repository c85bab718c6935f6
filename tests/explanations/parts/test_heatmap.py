from __future__ import annotations

import json
import re

import pytest
import torch

from heedful.errors import ShapeError
from heedful.explanations.parts.heads import Layer, heads
from heedful.explanations.parts.heatmap import DESK, MOST, Style, fitting, heatmap
from heedful.explanations.parts.thumbnail import mask_picture

NASTY = '<script>alert("x")</script>'


def names(count: int) -> list[str]:
    return [f"t{i}" for i in range(count)]


def test_tokens_are_escaped_in_labels_and_in_data() -> None:
    whole = heatmap(torch.eye(2), [NASTY, "b"], [NASTY, "b"], NASTY)
    assert "<script" not in whole
    assert whole.count("&lt;script&gt;") >= 4


def test_the_data_names_every_token_and_holds_every_level() -> None:
    whole = heatmap(torch.rand(3, 5), names(3), names(5), "a map")
    keys = re.search(r'data-keys="([^"]*)"', whole)
    assert keys is not None
    assert json.loads(keys[1].replace("&quot;", '"')) == names(5)
    assert 'style="aspect-ratio:5/3;min-height:39px"' in whole


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"needs weights \(2, 3\): found \(3, 2\)"):
        heatmap(torch.zeros(3, 2), names(2), names(3), "wrong")


def test_long_lists_get_fewer_labels_and_long_matrices_fewer_cells() -> None:
    whole = heatmap(torch.rand(150, 150), names(150), names(150), "long")
    assert len(re.findall(r'<span style="grid-row', whole)) <= DESK
    longer = heatmap(torch.rand(1000, 1000), names(1000), names(1000), "longer")
    assert "each cell is the largest of 6 × 6" in longer
    assert len(longer) < 200_000


@pytest.mark.parametrize("maps", [1, 30, 200])
def test_maps_keep_to_their_budget(maps: int) -> None:
    side = fitting(maps, 1_000_000)
    assert 8 <= side <= MOST
    tokens = [f"token{i}" for i in range(300)]
    whole = heatmap(torch.rand(300, 300), tokens, tokens, "one of many", Style(most=side))
    assert maps * len(whole) < 1_100_000


def test_many_heads_share_their_budget() -> None:
    tokens = [f"token{i}" for i in range(256)]
    layers = [Layer(f"layer {i}", torch.rand(12, 256, 256).softmax(-1)) for i in range(12)]
    whole = heads(layers, tokens, tokens)
    assert whole.count("<button") == 144
    assert len(whole) < 1_100_000


def test_the_first_head_is_the_chosen_one_and_notes_are_shown() -> None:
    whole = heads([Layer("layer 1", torch.rand(2, 3, 3), ["looks 1.5 back", NASTY])], names(3), names(3))
    assert re.findall(r'aria-pressed="(\w+)"', whole) == ["true", "false"]
    assert "looks 1.5 back" in whole
    assert "<script" not in whole


def test_a_grid_without_heads_is_refused() -> None:
    with pytest.raises(ShapeError, match="at least one layer"):
        heads([], [], [])


def test_a_mask_says_its_share() -> None:
    assert "50.0 %" in mask_picture(torch.tensor([[True, False], [False, True]]), "identity")
