from __future__ import annotations

import pytest
import torch

from heedful import masks
from heedful.attention.mechanism import Mechanism, Shape, by_name, create
from heedful.errors import UsageError
from heedful.masks import MASKS, Causal, Mask, Window

COMBINING = {"And", "Or", "Not", "At", "Mask", "Lengths", "MASKS", "as_mask"}
SHAPES = [Shape(4, 2, 8, 1, 1), Shape(4, 2, 8, 63, 63, 3), Shape(1, 1, 8, 2, 100, 2), Shape(2, 2, 8, 16, 16, 20)]


def test_every_rule_of_the_door_has_a_row() -> None:
    assert {row.kind.__name__ for row in MASKS} == set(masks.__all__) - COMBINING
    assert len({row.name for row in MASKS}) == len(MASKS)


@pytest.mark.parametrize("row", MASKS, ids=lambda row: row.name)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_row_builds_what_fits_its_shape(row: Mechanism[Mask], shape: Shape) -> None:
    mask = row.build(shape, {})
    assert isinstance(mask, row.kind)
    dense = mask.over(shape.batch, shape.heads).dense(shape.q, shape.k)
    assert dense.expand(shape.batch, shape.heads, shape.q, shape.k).any()
    if shape.k >= 16 and row.name != "bigbird":
        assert 0.0 < mask.density(shape.q, shape.k) < 1.0


@pytest.mark.parametrize("row", MASKS, ids=lambda row: row.name)
def test_a_row_says_what_it_is(row: Mechanism[Mask]) -> None:
    assert row.formula
    assert row.source
    assert row.cost


def test_options_override_what_a_row_chooses() -> None:
    shape = Shape(4, 2, 8, 12, 12)
    assert create("mask", MASKS, "window", shape, {"size": 5, "ahead": 1}) == Window(5, ahead=1)
    with pytest.raises(UsageError, match="unknown option of mask window 'sise': did you mean 'size'"):
        create("mask", MASKS, "window", shape, {"sise": 5})
    padded = create("mask", MASKS, "padding", shape, {"lengths": [3]})
    assert torch.equal(padded.dense(1, 4).flatten(), torch.tensor([True, True, True, False]))


def test_causal_is_a_name_and_a_window_is_not() -> None:
    assert by_name("mask", MASKS, "causal") == Causal()
    with pytest.raises(UsageError, match=r"pass an instance of heedful.masks.Window\(size: 'int', ahead: 'int' = 0\)"):
        by_name("mask", MASKS, "window")
