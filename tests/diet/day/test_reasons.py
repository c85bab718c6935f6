"""Reasons are exact, and true: what they name is what the score rests on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diet.day.conftest import Mornings
from heedful.diet.day.leaning import changes, leans
from heedful.diet.day.reasons import enough, reasons


@pytest.mark.parametrize("seed", range(4))
def test_the_parts_add_up_to_what_the_allocator_gained(a_morning: Mornings, seed: int) -> None:
    morning = a_morning(seed=seed)
    found = reasons(morning)
    assert set(found) == set(morning.edition.keys)
    for share in morning.edition.shares:
        # a sum of some 20 numbers below 100 minutes' worth, each rounded once or twice
        assert found[share.key].score == pytest.approx(share.gain, abs=100 * 40 * np.finfo(float).eps)


def test_a_score_without_a_read_is_that_of_a_new_fit_without_it(a_morning: Mornings) -> None:
    taste = a_morning().taste
    whole = taste.x @ taste.simple.weights
    for i in (0, 7, 31):
        found = changes(taste, i)
        for j in (0, 5, 39):
            keep = np.ones(len(taste.pasts), dtype=bool)
            keep[j] = False
            assert found[j] == pytest.approx(whole[i] - taste.without(keep)[i], abs=1e-10)


def test_what_was_said_of_one_facet_counts_there_and_teaches_no_weights(a_morning: Mornings) -> None:
    morning = a_morning(past=10)
    last = morning.pasts[-1]
    pasts = [*morning.pasts[:-1], replace(last, whole=False)]
    taste = replace(morning, pasts=pasts).taste
    assert taste.simple.policy.count == 9
    keep = np.ones(10, dtype=bool)
    keep[9] = False
    whole = taste.x @ taste.simple.weights
    assert changes(taste, 3)[9] == pytest.approx(whole[3] - taste.without(keep)[3], abs=1e-12)


def test_deleting_what_a_score_leans_on_moves_it_more_than_deleting_at_random(a_morning: Mornings) -> None:
    rng, named, drawn = np.random.default_rng(0), [], []
    for seed in range(3):
        taste = a_morning(seed=seed).taste
        whole, count = taste.x @ taste.simple.weights, len(taste.pasts)
        place = {past.piece.key: j for j, past in enumerate(taste.pasts)}
        for i in range(0, len(taste.pieces), 4):
            without = [place[lean.past.piece.key] for lean in leans(taste, changes(taste, i))]
            for chosen, into in ((without, named), (rng.choice(count, len(without), replace=False), drawn)):
                keep = np.ones(count, dtype=bool)
                keep[chosen] = False
                into.append(abs(whole[i] - taste.without(keep)[i]))
    difference = np.array(named) - np.array(drawn)
    assert difference.mean() > 5 * difference.std() / len(difference) ** 0.5
    assert np.mean(named) > 2 * np.mean(drawn)


def test_thresholds_are_what_editions_of_these_minutes_hold(a_morning: Mornings) -> None:
    morning = a_morning(items=30)
    for key, reason in reasons(morning).items():
        if reason.below is not None:
            assert key not in morning.under(reason.below).keys
            steps = [morning.minutes * tenth / 10 for tenth in range(1, 10) if morning.minutes * tenth / 10 > reason.below]
            assert all(key in morning.under(minutes).keys for minutes in steps)
    out = [one.key for one in morning.close if one.key not in morning.edition.keys]
    found = {key: enough(morning, key) for key in out[:6]}
    assert any(found.values())
    assert all(minutes is None or key in morning.under(minutes).keys for key, minutes in found.items())
