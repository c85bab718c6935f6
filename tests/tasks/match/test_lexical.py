"""The baselines against code that shares nothing with them, and the scores of rankings by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from heedful.data.labelled.texts import Texts
from heedful.data.questions.corpus import Questions
from heedful.data.tokens.grams import Grams, folded_words, runs_of
from heedful.tasks.match.bm25 import BM25, terms
from heedful.tasks.match.calibration import fitted, refusing
from heedful.tasks.match.lexical import LinearSVM, TfIdf, bm25_scores, tfidf_scores
from heedful.tasks.match.matching import MEASURES, best_entries, cosines, grouped
from heedful.tasks.match.scoring import paired_bootstrap, ranked
from heedful.tasks.match.scoring import refusing as point

TEXTS = ["I lost my card today", "my card, my card!", "How do I change the pin?", "top up by bank transfer"]
CHINESE = ["如何更改我的密碼", "信用卡遺失了怎麼辦", "如何查詢帳戶餘額"]


def test_bm25_is_the_formula() -> None:
    found = BM25(TEXTS).scores("my card")
    words = [terms(text) for text in TEXTS]
    mean = sum(map(len, words)) / 4
    for row, score in zip(words, found, strict=True):
        total = 0.0
        for term in ("my", "card"):
            often, df = row.count(term), sum(term in other for other in words)
            total += math.log(1 + (4 - df + 0.5) / (df + 0.5)) * often * 2.5 / (often + 1.5 * (0.25 + 0.75 * len(row) / mean))
        assert score == pytest.approx(total, rel=1e-12)


def test_tfidf_is_scikit_learns_over_the_same_runs() -> None:
    grams = Grams.train(["\n".join(TEXTS)], None)
    known = set(grams.runs)

    def analyse(text: str) -> list[str]:
        return [run for run in runs_of(folded_words(text)) if run in known]

    oracle = TfidfVectorizer(analyzer=analyse, sublinear_tf=True)
    matrix = oracle.fit_transform(TEXTS)
    asked = ["change my card", "transfer"]
    wanted = (oracle.transform(asked) @ matrix.T).toarray()
    # Cosines of float32 vectors of a hundred runs against float64: a few roundings of 6e-8 each.
    np.testing.assert_allclose(TfIdf(TEXTS, grams).scores(asked), wanted, atol=1e-5)


def test_scripts_without_spaces_are_matched() -> None:
    names = tuple("pcb")
    known = Questions("faq", Texts(tuple(CHINESE), names), Texts(), {}, "")
    asked = ["我想改密碼", "卡片遺失", "餘額查詢"]
    grams = Grams.train(["\n".join(CHINESE)], None)
    for scores in (bm25_scores(known, asked), tfidf_scores(known, asked, grams)):
        assert [known.labels[i] for i in scores.argmax(1)] == ["p", "c", "b"]


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c")])
def test_a_linear_machine_has_a_margin_a_class(names: tuple[str, ...]) -> None:
    texts = Texts(tuple(f"word{name} {i}" for name in names for i in range(4)), tuple(name for name in names for _ in range(4)))
    grams = Grams.train(["\n".join(texts.texts)], None)
    scores = LinearSVM(texts, names, grams).scores([f"word{name}" for name in names])
    assert scores.shape == (len(names), len(names))
    assert scores.argmax(1).tolist() == list(range(len(names)))


def test_ranks_share_ties_and_map_is_the_mean_reciprocal_rank() -> None:
    scores = np.array([[3.0, 2.0, 1.0], [1.0, 3.0, 2.0], [0.0, 0.0, 0.0]])
    found = ranked(scores, np.array([0, 2, 1]))
    assert found["accuracy"] == pytest.approx((1 + 0 + 1 / 3) / 3)
    assert found["map"] == pytest.approx((1 + 1 / 2 + 1 / 2) / 3)
    assert found["recall@3"] == 1.0


def test_the_operating_point_by_hand() -> None:
    right = np.array([True, True, False, False, False])
    kept, outside = np.array([True, False, True, False, True]), np.array([False, False, False, True, True])
    found = point(right, kept, outside)
    assert found == {"in_scope_accuracy": pytest.approx(1 / 3), "out_of_scope_recall": 0.5, "out_of_scope_precision": 0.5}


def test_the_bootstrap_covers_the_mean_and_knows_no_difference() -> None:
    generator = np.random.default_rng(0)
    one, other = generator.random(400), generator.random(400)
    low, high = paired_bootstrap(one, other)
    assert low < (one - other).mean() < high
    assert paired_bootstrap(one, one) == (0.0, 0.0)


def test_the_entry_of_a_class_is_its_best() -> None:
    scores = np.array([[0.1, 0.9, 0.5, 0.2], [0.8, 0.1, 0.2, 0.3]])
    entry, best = best_entries(scores, grouped(np.array([0, 1, 0, 1])))
    assert entry.tolist() == [[2, 1], [0, 3]]
    assert best.tolist() == [[0.5, 0.9], [0.8, 0.3]]


def test_weights_go_to_the_measure_that_tells_and_none_below_nothing() -> None:
    generator = np.random.default_rng(1)
    truth = generator.integers(0, 4, 200)
    measures = generator.normal(size=(200, 4, len(MEASURES)))
    measures[np.arange(200), truth, 0] += 3.0
    measures[np.arange(200), truth, 1] -= 3.0
    weights = fitted(measures, truth, (True, True, True, False, False))
    assert weights[0] > 0.5
    assert 0 <= weights[1] < 0.1
    assert weights[3:] == (0.0, 0.0)
    right = (measures @ np.array(weights)).argmax(1) == truth
    assert right.mean() > (measures[..., 2].argmax(1) == truth).mean()


def test_the_threshold_turns_away_as_many_as_asked() -> None:
    generator = np.random.default_rng(2)
    inside, outside = generator.normal(2.0, 1.0, (1000, 4)), generator.normal(-2.0, 1.0, (200, 4))
    signs, truth = np.concatenate([inside, outside]), np.arange(1200) >= 1000
    weights, means, spreads, threshold = refusing(signs, truth, 0.03)
    sure = (signs - means) / spreads @ np.array(weights)
    # The quantile is interpolated between two of the thousand, and rounded to six places.
    assert abs((sure[~truth] < threshold).mean() - 0.03) <= 0.002
    assert (sure[truth] < threshold).mean() > 0.95
    plain = refusing(inside, np.zeros(1000, dtype=bool), 0.1)
    assert plain[0] == (1.0, 0.0, 0.0, 0.0)


def test_where_every_entry_is_a_class_of_its_own_each_stands_for_itself() -> None:
    scores = np.array([[0.3, 0.1, 0.2], [0.0, 0.5, 0.4]])
    entry, best = best_entries(scores, grouped(np.array([2, 0, 1])))
    assert entry.tolist() == [[1, 2, 0]] * 2
    assert best.tolist() == [[0.1, 0.2, 0.3], [0.5, 0.4, 0.0]]


def test_one_question_is_compared_as_many_are() -> None:
    generator = np.random.default_rng(0)
    asked, vectors = generator.normal(size=(3, 7)), generator.normal(size=(9, 7))
    alone = np.concatenate([cosines(asked[i : i + 1], vectors) for i in range(3)])
    # Sums of seven products in float64, in another order: each rounding is at most 2^-53 of the sum of magnitudes.
    bound = 14 * 2.0**-53 * (np.abs(asked) @ np.abs(vectors).T)
    assert (np.abs(alone - cosines(asked, vectors)) <= bound).all()
