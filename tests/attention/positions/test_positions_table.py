"""What every row of the table must do."""

from __future__ import annotations

import pytest
import torch

from heedful.attention.mechanism import Mechanism, Shape, by_name, create
from heedful.errors import UsageError
from heedful.positions import POSITIONS, Learned, Position, T5RelativeBias

SHAPE = Shape(heads=4, kv_heads=2, d=8, q=5, k=9)
ROWS = [pytest.param(row, id=row.name) for row in POSITIONS]


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16], ids=str)
def test_fits_its_shape_and_keeps_the_type(row: Mechanism[Position], dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    position = row.build(SHAPE, {})
    q, at_q, at_k = torch.randn(2, 4, 5, 8).to(dtype), torch.arange(4, 9), torch.arange(9)
    rotated, bias = position.rotate(q, at_q), position.bias(4, at_q, at_k)
    assert rotated.dtype == dtype
    assert rotated.shape == q.shape
    assert bias is None or bias.shape == (4, 5, 9)
    assert bias is not None or not torch.equal(rotated, q)


@pytest.mark.parametrize("row", ROWS)
def test_a_cached_step_equals_the_full_pass(row: Mechanism[Position]) -> None:
    torch.manual_seed(1)
    position = row.build(SHAPE, {})
    q, at = torch.randn(1, 4, 9, 8, dtype=torch.float64), torch.arange(9)
    torch.testing.assert_close(position.rotate(q, at)[:, :, -1:], position.rotate(q[:, :, -1:], at[-1:]))
    full, step = position.bias(4, at, at), position.bias(4, at[-1:], at)
    assert (full is None) == (step is None)
    assert full is None or step is None or torch.equal(full[:, -1:], step)


@pytest.mark.parametrize("row", ROWS)
def test_row_says_what_it_builds(row: Mechanism[Position]) -> None:
    assert type(row.build(SHAPE, {})) is row.kind
    assert row.build(SHAPE, {}).name == row.name
    assert "arXiv" in row.source
    assert row.plain == (not list(row.build(SHAPE, {}).parameters()))


def test_names_options_and_refusals() -> None:
    assert by_name("position", POSITIONS, "rotary").name == "rope"
    assert create("position", POSITIONS, "rope", SHAPE, {"base": 500.0, "scaling": 2.0}).extra_repr().startswith("d=None, base=500.0")
    built = create("position", POSITIONS, "learned", SHAPE, {"max_positions": 32})
    assert isinstance(built, Learned)
    assert (built.max_positions, built.d) == (32, 8)
    assert isinstance(create("position", POSITIONS, "t5", SHAPE, {"buckets": 8}), T5RelativeBias)
    with pytest.raises(UsageError, match=r"heedful\.positions\.T5RelativeBias\(heads"):
        by_name("position", POSITIONS, "t5")
