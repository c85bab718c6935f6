from __future__ import annotations

import math

import numpy as np
import pytest

from heedful.tasks.classify.trial import Answers, joined
from heedful.tasks.classify.trials import DRAWS, compared, interval


def test_the_interval_of_a_share_is_the_normal_one_of_many_texts() -> None:
    values = np.array([1.0] * 600 + [0.0] * 400)
    sd = math.sqrt(0.6 * 0.4 / 1000)
    low, high = interval(values)
    # A drawn quantile scatters by sqrt(p (1 - p) / draws) over the density there, 0.0584 of a standard normal; five of these.
    slack = 5 * sd * math.sqrt(0.025 * 0.975 / DRAWS) / 0.0584 + 0.5 / 1000
    assert low == pytest.approx(0.6 - 1.96 * sd, abs=slack)
    assert high == pytest.approx(0.6 + 1.96 * sd, abs=slack)


def test_a_difference_on_the_same_texts_is_told_from_chance() -> None:
    truth = tuple("ab" * 200)
    beside = Answers(truth, tuple("a" * 400))
    better = Answers(truth, tuple("ab" * 150 + "a" * 100))
    assert compared([better], beside).rows[0][3] == "above"
    assert compared([beside, beside], beside).rows[0] == ("+0.00", "+0.00", "+0.00", "not to be told apart")
    assert compared([beside], better).rows[0][3] == "below"


def test_folds_are_put_together() -> None:
    both = joined([Answers(("a",), ("b",), 1.0), Answers(("c", "d"), ("c", "d"), 2.0)])
    assert (both.truth, both.found, both.seconds) == (("a", "c", "d"), ("b", "c", "d"), 3.0)
    assert both.right() == [0.0, 1.0, 1.0]
