"""Agreement with what people marked, against scikit-learn and by hand."""

from __future__ import annotations

import pytest
import torch
from sklearn.metrics import average_precision_score, f1_score

from heedful.explanations.plausibility import average_precision, best_threshold, iou_f1, marked, spans, token_f1


@pytest.mark.parametrize("seed", range(5))
def test_average_precision_and_f1_are_scikit_learns(seed: int) -> None:
    torch.manual_seed(seed)
    scores, truth = (torch.rand(30) * 6).round(), torch.rand(30) < 0.3  # with equals
    assert average_precision(scores, truth) == pytest.approx(average_precision_score(truth.numpy(), scores.numpy()))
    assert token_f1(scores > 3, truth) == pytest.approx(f1_score(truth.numpy(), (scores > 3).numpy()))


def test_nothing_marked() -> None:
    none = torch.zeros(4, dtype=torch.bool)
    assert average_precision(torch.rand(4), none) is None
    assert (token_f1(none, none), iou_f1(none, none)) == (1.0, 1.0)
    assert (token_f1(~none, none), iou_f1(none, ~none)) == (0.0, 0.0)


def test_spans_count_by_half_of_their_union() -> None:
    ours = torch.tensor([1, 1, 0, 0, 1, 1, 1, 1, 0]).bool()
    theirs = torch.tensor([1, 1, 1, 0, 1, 0, 0, 0, 0]).bool()
    assert spans(ours) == [(0, 2), (4, 8)]
    assert iou_f1(ours, theirs) == pytest.approx(0.5)  # 2/3 counts, 1/4 does not
    assert iou_f1(ours, theirs, least=0.2) == 1.0


def test_a_threshold_is_the_best_on_other_texts() -> None:
    scores = [torch.tensor([1.0, 0.6, 0.2]), torch.tensor([2.0, 1.0, 0.1])]
    truth = [torch.tensor([True, True, False]), torch.tensor([True, True, False])]
    share = best_threshold(scores, truth)
    assert 0.2 < share <= 0.5
    assert all(token_f1(marked(s, share), t) == 1.0 for s, t in zip(scores, truth, strict=True))
    assert not marked(torch.tensor([-1.0, 0.0]), 0.5).any()
