"""The list-makers against their definitions written out one item at a time; all keep to the minutes."""

from __future__ import annotations

import numpy as np
import pytest

from heedful.diet.edition.menu import Diet
from heedful.diet.policy.beliefs import Beliefs
from heedful.diet.policy.calibrated import Calibrated, divergence
from heedful.diet.policy.chance import Chance
from heedful.diet.policy.epsilon import Epsilon
from heedful.diet.policy.greedily import Greedily
from heedful.diet.policy.mmr import MMR
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback, Policy
from heedful.diet.policy.prior import Prior, fitted
from heedful.diet.policy.sampled import Sampled
from heedful.diet.policy.topk import TopK
from heedful.errors import UsageError

R, N, F, TOPICS = 6, 15, 5, 3
DIET = Diet(20.0)


def morning(seed: int = 0) -> Offer:
    rng = np.random.default_rng(seed)
    facets = {"topic": rng.integers(TOPICS, size=(R, N))}
    return Offer(rng.normal(size=(R, N, F)), rng.uniform(1, 8, (R, N)), facets, rng.integers(5, size=(R, N)), 20.0)


def beliefs(seed: int = 1) -> Beliefs:
    found = Beliefs(R, Prior.flat(F))
    offer = morning(seed)
    picks = np.tile(np.arange(8), (R, 1))
    found.update(Feedback(offer, picks, np.random.default_rng(seed).normal(size=(R, 8)) * offer.times(picks)))
    return found


def policies() -> list[Policy]:
    return [
        TopK(beliefs()),
        MMR(beliefs(), 0.6),
        Calibrated(beliefs(), TOPICS, 0.5),
        Greedily(beliefs(), DIET),
        Epsilon(beliefs(), DIET, 0.2),
        Sampled(beliefs(), DIET),
        Chance(DIET),
    ]


@pytest.mark.parametrize("policy", policies(), ids=lambda p: p.name)
def test_every_edition_keeps_to_the_minutes_and_holds_an_item_once(policy: Policy) -> None:
    offer, rng = morning(), np.random.default_rng(0)
    picks = policy.choose(offer, rng)
    assert (offer.times(picks).sum(1) <= 20.0 + 1e-9).all()
    for row in picks:
        chosen = row[row >= 0]
        assert len(set(chosen)) == len(chosen) > 0
    policy.update(Feedback(offer, picks, np.where(picks >= 0, 1.0, 0.0)))
    assert policy.choose(morning(2), rng).shape[0] == R


def written_out(policy: Policy, offer: Offer, r: int, score: object) -> list[int]:
    """A list of one reader by its definition."""
    values = policy.values(offer, np.random.default_rng(0))[r]
    chosen: list[int] = []
    while True:
        left = offer.budget - offer.minutes[r, chosen].sum()
        fits = [i for i in range(N) if i not in chosen and offer.minutes[r, i] <= left + 1e-9]
        if not fits:
            return chosen
        chosen.append(max(fits, key=lambda i: score(values, i, chosen)))  # type: ignore[operator]


@pytest.mark.parametrize("a_minute", [False, True])
def test_mmr_is_carbonells_and_goldsteins(a_minute: bool) -> None:
    offer, policy = morning(), MMR(beliefs(), 0.6, a_minute)
    picks = policy.choose(offer, np.random.default_rng(0))
    for r in range(R):

        def score(values: np.ndarray, i: int, chosen: list[int], r: int = r) -> float:
            relevance = values / offer.minutes[r] if a_minute else values
            scaled = (relevance[i] - relevance.min()) / (relevance.max() - relevance.min())
            topic, story = offer.facets["topic"][r], offer.story[r]
            like = [1.0 if story[i] == story[j] else 0.5 * (topic[i] == topic[j]) for j in chosen]
            return float(0.6 * scaled - 0.4 * max(like, default=0.0))

        assert picks[r][picks[r] >= 0].tolist() == written_out(policy, offer, r, score)


def test_calibration_is_stecks() -> None:
    offer, policy = morning(), Calibrated(beliefs(), TOPICS, 0.7)
    picks = np.tile(np.arange(4), (R, 1))
    policy.update(Feedback(morning(5), picks, np.ones((R, 4))))
    shown = policy.choose(offer, np.random.default_rng(0))
    for r in range(R):
        past = policy.read[r] / policy.read[r].sum()

        def score(values: np.ndarray, i: int, chosen: list[int], r: int = r, past: np.ndarray = past) -> float:
            scaled = (values - values.min()) / (values.max() - values.min())
            counts = np.bincount(offer.facets["topic"][r][[*chosen, i]], minlength=TOPICS)
            mixed = 0.99 * counts / counts.sum() + 0.01 * past
            return float(0.3 * scaled[i] - 0.7 * (past * np.log(past / mixed)).sum())

        assert shown[r][shown[r] >= 0].tolist() == written_out(policy, offer, r, score)
    assert divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(-np.log(0.01))


def test_a_bolder_draw_strays_further_from_what_is_expected() -> None:
    offer, one = morning(), beliefs()
    mean = one.mean(offer)
    timid, bold = (np.abs(one.draw(offer, np.random.default_rng(3), b) - mean).mean() for b in (0.1, 1.0))
    assert timid == pytest.approx(0.1 * bold)
    np.testing.assert_allclose(one.draw(offer, np.random.default_rng(3), 0.0), mean)


def test_the_prior_that_readers_were_drawn_from_is_found_again() -> None:
    rng, readers, n = np.random.default_rng(0), 400, 60
    mean, spread, noise = np.array([0.5, -0.2, 0.0]), np.array([0.1, 0.6, 0.3]), 0.4
    weights = mean + spread * rng.normal(size=(readers, 3))
    features = rng.normal(size=(readers, n, 3))
    targets = (features * weights[:, None]).sum(2) + noise * rng.normal(size=(readers, n))
    features[:, -5:], targets[:, -5:] = 0.0, 0.0  # rows that have ended
    found = fitted(features, targets)
    known = noise / np.sqrt(n - 5)  # how well one reader's weight is known from that reader's rows
    np.testing.assert_array_less(np.abs(found.mean - mean), 5 * np.sqrt((spread**2 + known**2) / readers))
    np.testing.assert_array_less(np.abs(found.spread - spread), 5 * (spread**2 + known**2) / spread / np.sqrt(2 * readers))
    assert abs(found.noise - noise) < 5 * noise / np.sqrt(2 * readers * (n - 5))


def test_what_cannot_be_is_refused_in_one_line() -> None:
    with pytest.raises(UsageError, match="a share from 0 to 1"):
        Beliefs(3, Prior.flat(2), keep=1.5)
    with pytest.raises(UsageError, match="above 0"):
        Prior(np.zeros(2), np.array([1.0, 0.0]), 1.0)
    with pytest.raises(UsageError, match=r"\(r, n, f\)"):
        fitted(np.zeros((2, 3, 4)), np.zeros((2, 4)))
