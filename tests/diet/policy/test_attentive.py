"""Attention policies learn what earns; their losses are what their papers write, one number at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from heedful.diet.policy.actor_critic import ActorCritic
from heedful.diet.policy.attentive import Learning, Memory, Situation
from heedful.diet.policy.cql import CQL
from heedful.diet.policy.offer import Offer
from heedful.diet.policy.policy import Feedback, Policy
from heedful.diet.policy.reinforce import Reinforce, Shown, loss
from heedful.errors import UsageError

READERS, N, F = 12, 10, 4
QUICK = Learning(width=16, heads=2, history=8, rate=1e-2, passes=3, days=10, discount=0.2)


def morning(rng: np.random.Generator) -> Offer:
    features = rng.normal(size=(READERS, N, F))
    zeros = np.zeros((READERS, N), dtype=int)
    return Offer(features, np.full((READERS, N), 5.0), {"topic": zeros}, zeros, budget=15.0)


def earned(offer: Offer, picks: np.ndarray) -> np.ndarray:
    """Five minutes' worth of the first feature, and nothing else."""
    return np.where(picks >= 0, 5.0 * np.take_along_axis(offer.features[..., 0], np.maximum(picks, 0), 1), 0.0)


@pytest.mark.parametrize("make", [Reinforce, ActorCritic, CQL])
def test_it_learns_what_earns(make: type) -> None:
    policy: Policy = make(READERS, F, QUICK)
    rng = np.random.default_rng(0)
    days = []
    for _ in range(40):
        offer = morning(rng)
        picks = policy.choose(offer, rng)
        assert (offer.times(picks).sum(1) <= 15.0 + 1e-9).all()
        rewards = earned(offer, picks)
        policy.update(Feedback(offer, picks, rewards))
        days.append(rewards.sum() / READERS / 15)
    # chance earns 0 a minute; the standard error of ten days of 12 x 3 items of spread 1 is 1 / sqrt(360) = 0.053
    assert np.mean(days[-10:]) > 5 * 0.053


def test_the_loss_is_the_papers_one_pick_at_a_time() -> None:
    scores = torch.tensor([[0.3, -0.2, 1.0], [0.0, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    there, real = torch.ones(2, 3, dtype=torch.bool), torch.zeros(2, 1, dtype=torch.bool)
    situation = Situation(torch.zeros(2, 3, 1), there, torch.zeros(2, 1, 2), real)
    picks, chance = torch.tensor([[2, 0], [1, -1]]), torch.tensor([[0.1, 0.5], [0.25, 1.0]], dtype=torch.float64)
    gained = torch.tensor([[1.0, -2.0], [0.5, 9.0]], dtype=torch.float64)
    found = loss(scores, Shown(situation, picks, chance, gained), cap=3.0)
    expected = 0.0
    for r, i, beta, gain, k in ((0, 2, 0.1, 1.0, 2), (0, 0, 0.5, -2.0, 2), (1, 1, 0.25, 0.5, 1)):
        pi = float(torch.softmax(scores[r].detach(), 0)[i])
        expected -= min(pi / beta, 3.0) * k * (1 - pi) ** (k - 1) * gain * np.log(pi) / 3
    assert found.item() == pytest.approx(expected, rel=1e-9)
    # gradient of log pi alone: the weights carry none
    (got,) = torch.autograd.grad(found, scores)
    by_hand = np.zeros((2, 3))
    for r, i, beta, gain, k in ((0, 2, 0.1, 1.0, 2), (0, 0, 0.5, -2.0, 2), (1, 1, 0.25, 0.5, 1)):
        pi = torch.softmax(scores[r].detach(), 0).numpy()
        weight = min(pi[i] / beta, 3.0) * k * (1 - pi[i]) ** (k - 1) * gain
        by_hand[r] -= weight * (np.eye(3)[i] - pi) / 3
    np.testing.assert_allclose(got.numpy(), by_hand, rtol=1e-9)


def test_the_past_is_the_last_items_that_were_picked() -> None:
    memory, offer = Memory(READERS, F, 4), morning(np.random.default_rng(1))
    picks = np.tile(np.array([[3, 1, -1]]), (READERS, 1))
    memory.add(Feedback(offer, picks, earned(offer, picks)))
    assert memory.real[0].tolist() == [False, True, True, False]
    np.testing.assert_allclose(memory.past[0, 1, :F], offer.features[0, 3], rtol=1e-6)
    assert memory.past[0, 1, F] == pytest.approx(offer.features[0, 3, 0], rel=1e-6)  # five minutes' worth over five minutes


def test_days_of_another_policy_are_learnt_from() -> None:
    policy, rng = Reinforce(READERS, F, QUICK), np.random.default_rng(0)
    for _ in range(50):
        offer = morning(rng)
        picks = np.argsort(rng.random((READERS, N)), axis=1)[:, :3]
        policy.update(Feedback(offer, picks, earned(offer, picks)))
    offer = morning(rng)
    scores = policy.scores(offer)
    found = [np.corrcoef(scores[r], offer.features[r, :, 0])[0, 1] for r in range(READERS)]
    assert np.mean(found) > 0.5


def test_a_reader_without_candidates_gets_an_empty_edition() -> None:
    offer = morning(np.random.default_rng(2))
    minutes = offer.minutes.copy()
    minutes[0] = np.inf
    for make in (Reinforce, ActorCritic, CQL):
        policy = make(READERS, F, QUICK)
        away = Offer(offer.features, minutes, offer.facets, offer.story, 15.0)
        picks = policy.choose(away, np.random.default_rng(0))
        assert (picks[0] == -1).all()
        policy.update(Feedback(away, picks, earned(away, picks)))
        policy.update(Feedback(away, picks, earned(away, picks)))
        assert all(torch.isfinite(p).all() for p in policy.network.parameters())


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(UsageError, match="divide the width"):
        Learning(width=10, heads=4)
