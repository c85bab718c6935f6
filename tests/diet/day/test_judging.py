"""Attention serves only once it is better on what neither model has seen, and what it says adds up too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diet.day.conftest import NOW, Mornings, piece, reads
from heedful.diet.day.attentive import Attentive, fitted, nearness
from heedful.diet.day.judging import HELD, calibrated, judged
from heedful.diet.day.piece import Past
from heedful.diet.day.reasons import reasons
from heedful.diet.day.serving import judge, serving, verdict
from heedful.diet.day.simple import Taste
from heedful.diet.day.wishes import Wishes
from heedful.diet.store.store import open_store


def test_few_reads_judge_nothing() -> None:
    found = judged(Taste.of([], reads(np.random.default_rng(0), 20), Wishes(), NOW))
    assert (found.serves, found.simple, found.state) == ("simple", None, None)
    assert "simple model serves" in found.says
    with open_store(":memory:") as store:
        assert judge(store, NOW).serves == "simple"
        assert (serving(store).name, verdict(store).reads) == ("simple", 0)


def swinging(count: int) -> list[Past]:
    """A reader who wants more of what was just liked, and no more of what was just not: a mood, that no fixed taste can follow."""
    rng, found, mood = np.random.default_rng(0), [], np.ones(4)
    for i in range(count):
        subject = int(rng.integers(4))
        if rng.random() < 0.08:
            mood[subject] = -mood[subject]
        found.append(Past(piece(rng, f"past {i}", subject), 0.9 * float(mood[subject]), NOW - 86_400 * (count - i)))
    return found


@pytest.mark.slow
def test_attention_serves_a_reader_whose_mood_swings() -> None:
    found = judged(Taste.of([], swinging(220), Wishes(), NOW))
    assert found.held >= HELD
    assert found.simple is not None
    assert found.attention is not None
    assert found.error is not None
    assert found.simple - found.attention > found.error
    assert (found.serves, found.state is not None) == ("attention", True)
    assert f"{found.attention:.3f} attention" in found.says


@pytest.fixture
def attentive(a_morning: Mornings) -> Attentive:
    """Trained on one reader."""
    taste = a_morning().taste
    return fitted(taste, np.ones(len(taste.pasts), dtype=bool))


def test_attentions_parts_add_up_and_so_do_its_reads(a_morning: Mornings, attentive: Attentive) -> None:
    morning = replace(a_morning(), worth=Attentive.of(attentive.state()))
    taste = morning.taste
    names, parts = attentive.parts(taste)
    assert names[-1] == "attention"
    by_read = attentive.read(nearness(taste.asked)) * taste.rewards
    np.testing.assert_allclose(parts[:, -1], by_read.sum(1), rtol=0, atol=1e-12)
    for share in morning.edition.shares:
        assert reasons(morning)[share.key].score == pytest.approx(share.gain, abs=1e-10)


def test_what_attention_loses_without_a_read_is_its_score_without_it(a_morning: Mornings, attentive: Attentive) -> None:
    morning = a_morning()
    taste = morning.taste
    found = attentive.changes(taste, 5)
    for j in (0, 11, 39):
        less = replace(morning, pasts=[past for place, past in enumerate(taste.pasts) if place != j], fill=lambda some: some)
        # words are weighed by all texts at hand, one fewer here: likeness is that of the whole
        fewer = Taste(taste.pieces, less.pasts, taste.wishes, taste.now, np.delete(taste.rows.toarray(), len(taste.pieces) + j, 0))
        vars(fewer)["like"] = np.delete(taste.like, j, 1)
        whole, without = attentive.parts(taste)[1][5].sum(), attentive.parts(fewer)[1][5].sum()
        assert found[j] == pytest.approx(whole - without, abs=1e-10)


def test_chances_fit_what_they_are_fitted_to() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=4000)
    truth = (rng.random(4000) < 1 / (1 + np.exp(-(0.5 + 2 * scores)))).astype(float)
    fit = np.arange(4000) < 2000
    right = np.logaddexp(0, 0.5 + 2 * scores) - truth * (0.5 + 2 * scores)
    loss = calibrated(scores, truth, fit)
    # two numbers fitted to 2,000 reads cost 2 / (2 x 2,000) nats each on average; ten times that leaves no doubt
    assert loss[~fit].mean() - right[~fit].mean() < 10 * 2 / 4000
