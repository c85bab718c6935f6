"""Histories, against what the recommender itself scores without an item, and against gradients of its vectors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.tasks.explained.conftest import stirred

from heedful.data.tokens.items import Items
from heedful.errors import UsageError
from heedful.explanations.methods.attention import Attention
from heedful.explanations.methods.input_gradient import InputGradient
from heedful.explanations.methods.measured import Measured
from heedful.explanations.methods.occlusion import Occlusion
from heedful.explanations.methods.rollout import Rollout
from heedful.explanations.methods.table import METHODS
from heedful.models.ranker.build import build_ranker
from heedful.models.ranker.ranker import Histories
from heedful.spec import RunSpec
from heedful.spec.interactions import LogDataSpec
from heedful.spec.ranker import RankerSpec, VoteSpec
from heedful.tasks.explained.histories import Past, of_history
from heedful.tasks.recommend.answer import Recommended
from heedful.tasks.recommend.loading import LoadedRanker
from heedful.tasks.recommend.scorer import History
from heedful.train.run import Run

NAMES = [f"item{i}" for i in range(30)]
SPECS = {
    "attention": RankerSpec(vocabulary=30, context=24, width=8, heads=2, layers=2, gaps=4),
    "pointwise": RankerSpec(vocabulary=30, context=24, width=8, heads=2, layers=1, reading="pointwise"),
    "target": RankerSpec(vocabulary=30, context=24, width=8, heads=2, reading="target", loss="sampled", negatives=3),
    "votes": RankerSpec(vocabulary=30, context=24, width=8, heads=2, layers=1, votes=VoteSpec(neighbours=2, reach=3)),
}


def answer_of(kind: str, count: int = 6, candidates: tuple[str, ...] = ()) -> Recommended:
    """A recommendation after `count` items by a model that has learnt nothing."""
    torch.manual_seed(0)
    spec = SPECS[kind]
    model = stirred(build_ranker(spec))
    loaded = LoadedRanker(Run(Path()), model, Items(NAMES), RunSpec(task="recommend", data=LogDataSpec("a log"), model=spec))  # type: ignore[arg-type]
    asked = {"history": NAMES[:count], "times": [1000 * i * i for i in range(count)], "candidates": list(candidates)}
    return Recommended(loaded, json.dumps(asked))


@pytest.fixture(params=SPECS)
def past(request: pytest.FixtureRequest) -> Past:
    return of_history(answer_of(request.param))


def test_an_item_taken_away_has_never_been_there(past: Past) -> None:
    answer, read = past.recommended, past.read
    item = answer.best()[0][0]
    kept = torch.ones(3, 6, dtype=torch.bool)
    kept[1, [0, 3]], kept[2] = False, False
    rows = [read, History(np.delete(read.items, [0, 3]), np.delete(read.times, [0, 3])), History(read.items[:0], read.times[:0])]
    assert (past.scored(kept) - answer.logarithms(rows)[:, item]).abs().max() <= 2.0**-19
    assert past.answer == answer.said(item)
    assert float(past.scored(past.whole()).exp()) == pytest.approx(answer.record()["items"][0]["probability"], abs=5e-7)


def test_gradients_are_those_of_the_items_vectors(past: Past) -> None:
    assert float(past.of_features(past.features[None])[0]) == pytest.approx(float(past.scored(past.whole())[0]), abs=1e-6)
    if past.no_gradients is not None:
        assert "counts have no gradient" in past.no_gradients
        return
    found, step = InputGradient().scores(past), 1e-4
    for unit in (0, 5):  # a central difference along the item's own vector; its error is of the order of the step's square
        moved = past.features.repeat(2, 1, 1)
        moved[0, unit] *= 1 + step
        moved[1, unit] *= 1 - step
        ends = past.of_features(moved).double()
        # The scores are float32 numbers near 10, so that the difference is known to 10 x 2^-23 over twice the step.
        assert float(found[unit]) == pytest.approx(float((ends[0] - ends[1]) / (2 * step)), abs=10 * 2.0**-23 / (2 * step) + step)


def test_a_history_has_the_methods_that_its_model_can_serve() -> None:
    served = {kind: {m.name for m in METHODS if m.why_not(of_history(answer_of(kind))) is None} for kind in SPECS}
    always = {"measured", "occlusion", "shapley", "random"}
    assert all(always <= names for names in served.values())
    assert {"rollout", "relevance", "quick", "head_ablation"} <= served["attention"]
    assert "attention" in served["target"]
    assert not {"attention", "rollout"} & served["pointwise"]
    assert "quick" in served["pointwise"]
    assert not {"quick", "relevance"} & served["votes"]
    assert "rollout" in served["votes"]


def test_attention_is_read_at_the_last_place() -> None:
    past = of_history(answer_of("attention"))
    answer = past.recommended
    told = Histories(torch.from_numpy(past.read.items)[None], None, torch.from_numpy(past.read.times)[None])
    with torch.no_grad():
        layers = answer.loaded.model.encode(told, answer.catalogue.vectors, trace=True).weights
    torch.testing.assert_close(Attention().scores(past), torch.stack([layer[0, :, -1].mean(0) for layer in layers]).mean(0).double())
    product = torch.eye(6, dtype=torch.float64)
    for layer in layers:
        product = (0.5 * layer[0].mean(0).double() + 0.5 * torch.eye(6)) @ product
    torch.testing.assert_close(Rollout().scores(past), product[-1])


def test_a_long_history_without_gradients_is_measured_by_runs() -> None:
    past = of_history(answer_of("votes", count=20))
    found, lost = Measured().scores(past), Occlusion().scores(past)
    assert Measured().passes(past) == 20
    same = (found - lost).abs() < 2.0**-19  # scores near 10 in float32: ten roundings of 2^-22 at most
    assert int(same.sum()) >= 11  # eleven units by themselves, the others by their run
    owner = torch.arange(20) * 8 // 20
    for unit in (~same).nonzero().flatten().tolist():
        kept = (owner != owner[unit])[None]
        run = float(past.scored(past.whole())[0] - past.scored(kept)[0])
        assert float(found[unit]) == pytest.approx(run / int((owner == owner[unit]).sum()), abs=2.0**-19)


def test_an_item_is_asked_for_by_name_and_held_against_another() -> None:
    answer = answer_of("attention", candidates=("item10", "item11"))
    against = of_history(answer, "item11", "item10")
    logs = answer.logarithms([answer.history])[0]
    assert float(against.scored(against.whole())) == pytest.approx(float(logs[11] - logs[10]))
    for asked, words in ((("item0", None), "not recommended here"), (("item10", "item10"), "against itself"), (("item99", None), "item9")):
        with pytest.raises(UsageError, match=words):
            of_history(answer, *asked)
    with pytest.raises(UsageError, match="empty history"):
        of_history(answer_of("attention", count=0))


def test_the_explanation_names_the_items() -> None:
    from heedful.explanations.explanation import explained

    page = explained(of_history(answer_of("attention")), Measured()).html()
    assert "item3" in page
    assert 'class="bars"' in page
