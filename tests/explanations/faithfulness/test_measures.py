"""Every measure of faithfulness on a model whose answers can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest
import torch

from heedful.errors import UsageError
from heedful.explanations.faithfulness.comparison import ORDERS, Protocol, compared
from heedful.explanations.faithfulness.deletion import curves, top
from heedful.explanations.faithfulness.interval import interval, paired
from heedful.explanations.faithfulness.naopc import naopc
from heedful.explanations.faithfulness.sanity import alike, spearman
from heedful.explanations.faithfulness.single import judged
from heedful.explanations.faithfulness.soft import normalised, scaled, soft
from heedful.explanations.faithfulness.standing import Standing
from heedful.explanations.methods.attention import Attention
from heedful.explanations.methods.chance import Chance
from heedful.explanations.methods.input_gradient import InputGradient
from heedful.explanations.methods.occlusion import Occlusion


def p(*weights: float) -> float:
    return float(torch.sigmoid(torch.tensor(sum(weights), dtype=torch.float64)))


def test_curves_are_what_is_lost_without_and_alone(additive: Any) -> None:
    (found,) = curves(additive, [additive.weights], (0.25, 0.5))
    whole = p(2.5)
    assert found.whole == pytest.approx(whole)
    assert found.without == pytest.approx((whole - p(0.5), whole - p(-0.5)))
    assert found.alone == pytest.approx((whole - p(2.0), whole - p(3.0)))
    assert found.balance == pytest.approx(sum(found.without) / 2 - sum(found.alone) / 2)
    assert top(torch.tensor([1.0, 1.0, 1.0]), 0.34).tolist() == [True, True, False]
    assert top(torch.arange(200.0), 0.05).sum() == 10


def test_naopc_places_an_order_between_the_worst_and_the_best(additive: Any) -> None:
    whole = p(2.5)

    def aopc(order: tuple[int, ...]) -> float:
        left = [additive.weights[[i for i in range(4) if i not in order[: k + 1]]].tolist() for k in range(4)]
        return sum(whole - p(*each) for each in left) / 4

    every = [aopc(order) for order in permutations(range(4))]
    scores = torch.tensor([0.1, 0.4, 0.2, 0.3], dtype=torch.float64)
    expected = (aopc((1, 3, 2, 0)) - min(every)) / (max(every) - min(every))
    best, some = naopc(additive, [additive.weights, scores], beam=24)
    assert best == pytest.approx(1.0)
    assert some == pytest.approx(expected)
    assert naopc(additive, [scores], beam=1)[0] == pytest.approx(expected)  # a sum: the greedy search is exact
    assert naopc(type(additive)([0.0, 0.0]), [scores[:2]]) == [None]


def test_long_inputs_are_taken_as_runs(additive: Any) -> None:
    long = type(additive)([0.5] * 8 + [-0.5] * 8)
    good, bad = naopc(long, [long.weights, -long.weights], most=4)
    assert (good, bad) == (pytest.approx(1.0), pytest.approx(0.0))


def test_soft_measures_keep_units_in_part(additive: Any) -> None:
    everything = torch.ones(4, dtype=torch.float64)
    positive = type(additive)([2.0, 1.0, 0.5, 1.0])
    found = soft(positive, everything, draws=3)
    assert (found.kept, found.left) == (pytest.approx(0.0), pytest.approx(p(4.5) - p(0.0)))
    assert normalised([found]) == pytest.approx((1.0, 1.0))
    nothing = soft(positive, torch.zeros(4, dtype=torch.float64), draws=3)
    assert normalised([nothing]) == pytest.approx((0.0, 0.0))
    assert normalised([found, nothing]) == pytest.approx((0.5, 0.5))
    assert normalised([soft(type(additive)([0.0, 0.0]), everything[:2])]) is None
    assert normalised([]) is None
    assert scaled(torch.tensor([-1.0, 2.0, 4.0])).tolist() == [0.0, 0.5, 1.0]


def test_ranks_and_random_weights(additive: Any) -> None:
    from scipy.stats import spearmanr

    one, other = torch.tensor([3.0, 1.0, 1.0, 5.0, 2.0]), torch.tensor([1.0, 1.0, 4.0, 2.0, 0.0])
    assert spearman(one, other) == pytest.approx(float(spearmanr(one, other).statistic))
    assert spearman(one, torch.ones(5)) == 0.0
    like, none = alike(additive, [Occlusion(), Attention()])
    assert like == pytest.approx(float(spearmanr(Occlusion().scores(additive), Occlusion().scores(additive.randomised(0))).statistic))
    assert none is None


def test_intervals_hold_the_mean_as_often_as_they_say() -> None:
    torch.manual_seed(5)
    hits = 0
    for seed in range(200):
        found = interval((torch.randn(40) + 1.0).tolist(), draws=400, seed=seed)
        assert found.low <= found.mean <= found.high
        hits += found.low <= 1.0 <= found.high
    # Of 200 intervals at 95% (at 40 values a bootstrap's are about 94%): four standard errors below.
    assert hits >= 200 * 0.94 - 4 * (200 * 0.94 * 0.06) ** 0.5
    assert paired([2.0, 3.0], [1.0, 2.0]).above
    with pytest.raises(UsageError, match="one text or more"):
        interval([])


def test_methods_are_compared_in_pairs_and_with_chance(additive: Any) -> None:
    subjects = [type(additive)(torch.randn(8, generator=torch.Generator().manual_seed(i)).tolist()) for i in range(12)]
    done: list[int] = []
    found = compared(subjects, (Occlusion(), InputGradient(), Attention(), Chance()), "a set", Protocol(), lambda: done.append(1))
    assert len(done) == found.texts == 12
    assert found.skipped == {"attention": "it has none"}
    assert [line.method.name for line in found.lines] == ["occlusion", "input_gradient", "random"]
    assert all(len(each) == ORDERS for each in found.chance.curves)
    rows = {line.method.name: line.row(found.chance) for line in found.lines}
    assert rows["occlusion"]["over_random"].above
    assert rows["occlusion"]["naopc"] == pytest.approx(1.0)
    assert rows["random"]["over_random"] is None
    assert found.best.method.name in ("occlusion", "input_gradient")
    standing = found.standing(found.line("occlusion"))
    assert standing.holds
    assert Standing.of(standing.record()) == standing
    assert abs(found.against("occlusion", "input_gradient").mean) < 1e-9  # a sum: both rank its units alike


def test_one_explanation_is_judged_beside_random_orders(additive: Any) -> None:
    long = type(additive)([3.0] + [0.01] * 9)
    good = judged(long, long.weights, (0.1,), None, 20, 0)
    bad = judged(long, -long.weights, (0.1,), None, 20, 0)
    assert good.holds
    assert not bad.holds
    assert good.comprehensiveness > bad.comprehensiveness
    assert good.sufficiency < bad.sufficiency


def test_equal_rows_are_asked_for_once(additive: Any) -> None:
    additive.rows = 0
    curves(additive, [additive.weights] * 5, (0.25,))
    assert additive.rows == 3


def test_nothing_to_compare_on_is_said(additive: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="one text or more"):
        compared([], (Occlusion(),), "nothing", Protocol())
