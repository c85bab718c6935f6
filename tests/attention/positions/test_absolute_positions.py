"""Sinusoidal and learned positions: what is added, to what, and what is refused."""

from __future__ import annotations

import math

import pytest
import torch

from heedful.errors import ShapeError
from heedful.positions import Learned, Position, Sinusoidal


@pytest.mark.parametrize("d", [1, 6, 7])
def test_sinusoidal_is_the_paper_written_out(d: int) -> None:
    found = Sinusoidal().rotate(torch.zeros(1, 1, 4, d, dtype=torch.float64), torch.tensor([0, 1, 50, 4000]))[0, 0]
    for t, p in enumerate([0, 1, 50, 4000]):
        for j in range(d):
            angle = p / 10000 ** (2 * (j // 2) / d)
            assert found[t, j].item() == pytest.approx(math.cos(angle) if j % 2 else math.sin(angle), abs=1e-9)


@pytest.mark.parametrize("position", [Sinusoidal(d=6), Learned(max_positions=12, d=6)], ids=["sinusoidal", "learned"])
def test_embeddings_queries_and_keys_get_the_same(position: Position) -> None:
    torch.manual_seed(0)
    x, at = torch.randn(2, 5, 6), torch.arange(5)
    torch.testing.assert_close(position(x), position.rotate(x[:, None], at)[:, 0])
    torch.testing.assert_close(position(x, at + 3), position.rotate(x[:, None], at + 3)[:, 0])
    assert not torch.allclose(position(x), position(x, at + 3))
    assert position(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("position", [Sinusoidal(d=6), Learned(max_positions=12, d=6)], ids=["sinusoidal", "learned"])
def test_another_width_is_refused(position: Position) -> None:
    with pytest.raises(ShapeError, match=r"\(d=6\) was given width 4"):
        position(torch.zeros(1, 2, 4))
    with pytest.raises(ShapeError, match=r"\(d=6\) was given width 4"):
        position.rotate(torch.zeros(1, 1, 2, 4), torch.arange(2))


def test_learned_adds_its_rows_and_teaches_them() -> None:
    position = Learned(max_positions=4, d=3)
    out = position.rotate(torch.zeros(1, 2, 2, 3), torch.tensor([2, 0]))
    assert torch.equal(out[0, 1], position.weight[[2, 0]])
    out.sum().backward()
    assert position.weight.grad is not None
    assert position.weight.grad[:, 0].tolist() == [2.0, 0.0, 2.0, 0.0]


def test_places_outside_a_learned_table_are_refused() -> None:
    position = Learned(max_positions=4, d=3)
    says = r"position 6 .* 4 positions \(0 to 3\): a shorter input, or max_positions=7, would work"
    with pytest.raises(ShapeError, match=says):
        position(torch.zeros(1, 7, 3))
    with pytest.raises(ShapeError, match=says):
        position.rotate(torch.zeros(1, 1, 2, 3), torch.tensor([0, 6]))
    with pytest.raises(ShapeError, match=r"position -2 .* queries no longer than the keys would work"):
        position.rotate(torch.zeros(1, 1, 2, 3), torch.tensor([-2, -1]))
    assert position.rotate(torch.zeros(1, 1, 0, 3), torch.arange(0)).shape == (1, 1, 0, 3)
