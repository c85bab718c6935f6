from __future__ import annotations

import pytest
import torch

from attention.masks.pictures import table
from heedful.attention.attend import attend
from heedful.errors import ShapeError, UsageError
from heedful.masks import Causal, Mask, Rule

near = Rule(lambda b, h, q, k: (q - k).abs() <= 1)
by_head = Rule(lambda b, h, q, k: k <= q - h)
by_sequence = Rule(lambda b, h, q, k: (k <= q) | (b == 1))


def test_a_function_of_positions() -> None:
    assert torch.equal(near.dense(3, 4)[0, 0], table("■■■□ □■■■ □□■■"))


def test_a_function_of_the_head_is_asked_about_each_head() -> None:
    dense = by_head.over(batch=2, heads=2).dense(3, 3)
    assert dense.shape == (1, 2, 3, 3)
    assert torch.equal(dense[0], torch.stack([table("■□□ ■■□ ■■■"), table("□□□ ■□□ ■■□")]))
    assert by_sequence.over(batch=2, heads=1).dense(2, 2)[:, 0].flatten(1).tolist() == [[True, False, True, True], [True] * 4]


@pytest.mark.parametrize(
    "mask", [by_head, by_sequence, by_head & Causal(), ~by_sequence, by_head.at(torch.arange(3), torch.arange(3))], ids=str
)
def test_nothing_is_left_out_silently(mask: Mask) -> None:
    with pytest.raises(UsageError, match="depends on the sequence or the head"):
        mask.dense(3, 3)
    with pytest.raises(UsageError, match="depends on the sequence or the head"):
        mask.density(3, 3)
    assert mask.over(batch=2, heads=2).dense(3, 3).shape[:2] in {(1, 2), (2, 1)}


def test_attend_says_how_many_heads_there_are() -> None:
    q = torch.randn(2, 3, 4, 8)
    _, weights = attend(q, q, q, mask=by_head & Causal(), return_weights=True)
    assert torch.equal(weights != 0, by_head.over(2, 3).dense(4, 4).expand(2, 3, 4, 4))


def test_a_picture_is_of_one_head() -> None:
    assert by_head.draw(3, 3, head=2).split() == ["□□□", "□□□", "■□□"]
    with pytest.raises(ShapeError, match="made for 2 heads: found index 2"):
        by_head.over(1, 2).draw(3, 3, head=2)


def test_an_answer_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="gave float32: a bool tensor"):
        Rule(lambda b, h, q, k: (q - k).float()).dense(2, 2)
    with pytest.raises(ShapeError, match=r"gave the shape \(1, 1, 1, 3\): one that broadcasts to \(1, 1, 2, 2\)"):
        Rule(lambda b, h, q, k: torch.ones(3, dtype=torch.bool)).dense(2, 2)
    with pytest.raises(UsageError, match=r"a function of \(b, h, q, k\): found str"):
        Rule("causal")  # type: ignore[arg-type]


def test_a_constant_answer_does() -> None:
    assert Rule(lambda b, h, q, k: True).dense(2, 3).expand(1, 1, 2, 3).all()
