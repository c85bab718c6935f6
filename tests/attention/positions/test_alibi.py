from __future__ import annotations

import pytest
import torch
from transformers.models.bloom.modeling_bloom import _get_alibi_slopes

from heedful.errors import ShapeError
from heedful.positions import ALiBi, published_slopes

EIGHT = (1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256)  # the paper's own list for 8 heads
TWELVE = (*EIGHT, 2**-0.5, 2**-1.5, 2**-2.5, 2**-3.5)  # its reference code: 8 heads' slopes, then every second of 16 heads'


def test_published_slopes() -> None:
    assert published_slopes(1) == (2**-8,)
    assert published_slopes(8) == EIGHT
    assert published_slopes(12) == pytest.approx(TWELVE)


@pytest.mark.parametrize("heads", [1, 2, 3, 6, 16, 20, 71])
def test_slopes_equal_hugging_face_bloom(heads: int) -> None:
    torch.testing.assert_close(torch.tensor(published_slopes(heads)), _get_alibi_slopes(heads, torch.device("cpu")))


@pytest.mark.parametrize("symmetric", [True, False])
def test_bias_is_slope_times_distance(symmetric: bool) -> None:
    q, k = torch.tensor([3, 4]), torch.arange(5)
    bias = ALiBi(symmetric=symmetric).bias(8, q, k)
    assert bias.shape == (8, 2, 5)
    for h, slope in enumerate(EIGHT):
        for i in (3, 4):
            for j in range(5):
                assert bias[h, i - 3, j] == slope * (-abs(i - j) if symmetric else j - i)


def test_both_forms_agree_on_the_past() -> None:
    at = torch.arange(6)
    past = at[None] <= at[:, None]
    assert torch.equal(ALiBi().bias(4, at, at)[:, past], ALiBi(symmetric=False).bias(4, at, at)[:, past])


def test_slopes_of_ones_own() -> None:
    assert ALiBi(slopes=[0.5, 2.0]).bias(2, torch.tensor([1]), torch.tensor([0])).flatten().tolist() == [-0.5, -2.0]
    with pytest.raises(ShapeError, match="2 slopes for 3 heads"):
        ALiBi(slopes=[0.5, 2.0]).bias(3, torch.arange(2), torch.arange(2))
