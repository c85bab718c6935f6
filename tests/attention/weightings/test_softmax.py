from __future__ import annotations

import torch

from heedful.weightings import Softmax


def test_equals_torch_where_nothing_is_blocked() -> None:
    torch.manual_seed(0)
    scores = torch.randn(2, 3, 5, dtype=torch.float64)
    torch.testing.assert_close(Softmax()(scores), torch.softmax(scores, -1), rtol=0, atol=0)


def test_great_scores_do_not_overflow() -> None:
    assert torch.equal(Softmax()(torch.tensor([6e4, -6e4], dtype=torch.float16)), torch.tensor([1.0, 0.0], dtype=torch.float16))
