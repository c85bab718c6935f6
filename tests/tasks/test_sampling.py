"""Each knob against the sentence that defines it, on a distribution small enough to count by hand."""

from __future__ import annotations

import pytest
import torch

from heedful.errors import UsageError
from heedful.spec.generation import Sampling
from heedful.tasks.sampling import draw, narrow, nucleus, penalise

LOGITS = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()


def kept(logits: torch.Tensor) -> list[int]:
    return torch.isfinite(logits[0]).nonzero().flatten().tolist()


def test_temperature_zero_takes_the_likeliest() -> None:
    assert draw(LOGITS, torch.zeros(1, 0, dtype=torch.long), Sampling(temperature=0.0)).tolist() == [0]


@pytest.mark.parametrize(("top_p", "expected"), [(0.4, [0]), (0.5, [0]), (0.51, [0, 1]), (0.9, [0, 1, 2]), (1.0, [0, 1, 2, 3])])
def test_nucleus_is_the_smallest_set_that_reaches_top_p(top_p: float, expected: list[int]) -> None:
    assert kept(nucleus(LOGITS.double().log_softmax(-1), top_p)) == expected


def test_nucleus_keeps_tokens_where_they_stood() -> None:
    shuffled = LOGITS[:, [3, 0, 2, 1]]
    assert kept(nucleus(shuffled, 0.6)) == [1, 3]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Sampling(top_k=2), [0, 1]),
        (Sampling(top_k=9), [0, 1, 2, 3]),
        (Sampling(min_p=0.31), [0, 1]),
        (Sampling(min_p=1.0), [0]),
        (Sampling(top_k=3, top_p=0.6), [0, 1]),
    ],
)
def test_narrowing(options: Sampling, expected: list[int]) -> None:
    assert kept(narrow(LOGITS, options)) == expected


def test_penalty_pushes_seen_tokens_down_whatever_their_sign() -> None:
    logits = torch.tensor([[2.0, -2.0, 1.0]])
    assert penalise(logits, torch.tensor([[0, 1, 1]]), 2.0).tolist() == [[1.0, -4.0, 1.0]]


def test_draws_follow_the_distribution_and_the_seed() -> None:
    rows = LOGITS.expand(20_000, -1)
    seen = torch.zeros(20_000, 0, dtype=torch.long)
    first, again = (draw(rows, seen, Sampling(), torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, again)
    shares = torch.bincount(first, minlength=4) / 20_000
    assert torch.allclose(shares, LOGITS[0].exp(), atol=0.015)


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": -1.0},
        {"temperature": float("nan")},
        {"top_k": -1},
        {"top_p": 0.0},
        {"top_p": 1.1},
        {"min_p": 2.0},
        {"repetition_penalty": 0.0},
    ],
)
def test_a_knob_out_of_range_is_refused_by_name(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        Sampling(**options)  # type: ignore[arg-type]
