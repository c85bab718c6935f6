"""What every weighting of the table must do, whatever its formula."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from heedful.attention.mechanism import Mechanism, Shape, by_name, create
from heedful.errors import UsageError
from heedful.weightings import WEIGHTINGS, Sigmoid, TopK, Weighting

INF = math.inf
SHAPE = Shape(heads=2, kv_heads=1, d=4, q=5, k=7)
ROWS = [pytest.param(row, id=row.name) for row in WEIGHTINGS]
EVERY = [
    *(pytest.param(row.build(SHAPE, {}), id=row.name) for row in WEIGHTINGS),
    pytest.param(Sigmoid(bias="log_length"), id="sigmoid-log-length"),
    pytest.param(TopK(3, straight_through=True), id="topk-straight-through"),
]


def kernel_like(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Scores above zero, so that a kernel's normalisation is defined too."""
    return torch.rand(*shape, dtype=torch.float64).mul(3).add(0.1).to(dtype)


def partly_shut(scores: Tensor) -> Tensor:
    """Some keys blocked, and the whole of row 1."""
    shut = torch.zeros(scores.shape[-2:], dtype=torch.bool)
    shut[0, 2:] = True
    shut[1, :] = True
    shut[2, ::2] = True
    return scores.masked_fill(shut, -INF)


@pytest.mark.parametrize("weighting", EVERY)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_blocked_keys_and_empty_rows_get_zero_weight_and_zero_gradient(weighting: Weighting, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    scores = partly_shut(kernel_like(2, 5, 7, dtype=dtype)).requires_grad_()
    weights = weighting(scores)
    (gradient,) = torch.autograd.grad((weights * torch.randn_like(weights)).sum(), scores)
    assert weights.dtype == dtype
    assert torch.isfinite(weights).all()
    assert torch.isfinite(gradient).all()
    assert (weights >= 0).all()
    assert (weights[:, 0, :2] > 0).any()
    assert (weights[scores == -INF] == 0).all()
    assert (gradient[scores == -INF] == 0).all()


@pytest.mark.parametrize("weighting", EVERY)
def test_rows_sum_to_one_exactly_where_the_weighting_says_so(weighting: Weighting) -> None:
    torch.manual_seed(1)
    sums = weighting(partly_shut(kernel_like(2, 5, 7))).sum(-1)
    expected = torch.ones(2, 5, dtype=torch.float64)
    expected[:, 1] = 0
    assert torch.allclose(sums, expected) == weighting.normalised


@pytest.mark.parametrize("weighting", [p for p in EVERY if p.id != "topk-straight-through"])
def test_first_and_second_derivatives(weighting: Weighting) -> None:
    torch.manual_seed(2)
    scores = kernel_like(3, 6).requires_grad_()
    shut = torch.tensor([[False] * 6, [False, True, False, False, True, False], [True] * 6])

    def weigh(s: Tensor) -> Tensor:
        return weighting(s.masked_fill(shut, -INF))

    assert torch.autograd.gradcheck(weigh, (scores,))
    assert torch.autograd.gradgradcheck(weigh, (scores,))


@pytest.mark.parametrize("weighting", EVERY)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("keys", [1, 63, 1000])
def test_lower_precision_is_rounding_of_float64(weighting: Weighting, dtype: torch.dtype, keys: int) -> None:
    torch.manual_seed(3)
    scores = kernel_like(4, keys, dtype=dtype)
    exact = weighting(scores.double())
    error = (weighting(scores).double() - exact).abs()
    allowed = 16 * torch.finfo(torch.float32).eps * max(1.0, math.sqrt(keys)) * exact.amax() + torch.finfo(dtype).eps * exact
    assert (error <= allowed + torch.finfo(dtype).tiny).all()


@pytest.mark.parametrize("weighting", EVERY)
def test_shapes_down_to_no_keys(weighting: Weighting) -> None:
    assert weighting(torch.zeros(2, 3, 0)).shape == (2, 3, 0)
    assert weighting(torch.zeros(0, 3, 4)).shape == (0, 3, 4)
    assert weighting(torch.ones(4)).shape == (4,)


@pytest.mark.parametrize("weighting", EVERY)
def test_is_a_value(weighting: Weighting) -> None:
    assert weighting == eval(repr(weighting), {type(weighting).__name__: type(weighting)})
    assert hash(weighting) == hash(weighting)


@pytest.mark.parametrize("row", ROWS)
def test_row_says_what_it_builds(row: Mechanism[Weighting]) -> None:
    built = row.build(SHAPE, {})
    assert type(built) is row.kind
    assert built.name == row.name
    assert row.formula
    assert "arXiv" in row.source


@pytest.mark.parametrize("row", ROWS)
def test_a_name_alone_is_enough_only_for_plain_rows(row: Mechanism[Weighting]) -> None:
    if row.plain:
        assert by_name("weighting", WEIGHTINGS, row.name) == row.build(SHAPE, {})
    else:
        with pytest.raises(UsageError, match=r"heedful\.weightings\.TopK\(k"):
            by_name("weighting", WEIGHTINGS, row.name)


def test_names_aliases_and_options() -> None:
    assert by_name("weighting", WEIGHTINGS, "entmax-1.5").name == "entmax15"
    assert create("weighting", WEIGHTINGS, "topk", SHAPE, {"k": 2}) == TopK(2)
    with pytest.raises(UsageError, match="did you mean 'sparsemax'"):
        by_name("weighting", WEIGHTINGS, "sparsmax")
    with pytest.raises(UsageError, match="option of weighting sigmoid"):
        create("weighting", WEIGHTINGS, "sigmoid", SHAPE, {"biass": 1.0})
