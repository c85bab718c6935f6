"""Linear Thompson sampling against the textbook's closed form; its state survives JSON; draws have the posterior's spread."""

from __future__ import annotations

import json

import numpy as np
import pytest

from heedful.diet.policy.posterior import Posterior
from heedful.diet.policy.thompson import LinearThompson
from heedful.errors import DataError, UsageError


def seen(n: int = 30, f: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, f))
    return features, features @ rng.normal(size=f) + rng.normal(0, 0.3, n)


def test_the_posterior_is_ridge_regression() -> None:
    features, rewards = seen()
    model = LinearThompson(4, prior=2.0, noise=0.3)
    model.update(features, rewards)
    # ridge with penalty noise^2 / prior^2, solved as least squares of a taller matrix: shares no line with ours
    tall = np.vstack([features, np.eye(4) * 0.3 / 2.0])
    expected = np.linalg.lstsq(tall, np.concatenate([rewards, np.zeros(4)]), rcond=None)[0]
    np.testing.assert_allclose(model.mean, expected, rtol=1e-9)
    np.testing.assert_allclose(model.covariance, np.linalg.inv(tall.T @ tall) * 0.3**2, rtol=1e-9)


def test_updates_in_parts_are_one_update() -> None:
    features, rewards = seen()
    whole, parts = LinearThompson(4), LinearThompson(4)
    whole.update(features, rewards)
    for i in range(len(features)):
        parts.update(features[i : i + 1], rewards[i : i + 1])
    np.testing.assert_allclose(parts.mean, whole.mean, rtol=1e-9)
    assert parts.count == whole.count == 30


def test_draws_have_the_mean_and_the_spread_of_the_posterior() -> None:
    features, rewards = seen(6)
    model, rng, n = LinearThompson(4, noise=1.0), np.random.default_rng(1), 20_000
    model.update(features, rewards)
    draws = np.array([model.draw(rng) for _ in range(n)])
    variance = np.diag(model.covariance)
    assert (np.abs(draws.mean(0) - model.mean) < 5 * np.sqrt(variance / n)).all()
    # the standard error of an estimated covariance of normal numbers is sqrt((c_ii c_jj + c_ij^2) / n)
    error = np.sqrt((np.outer(variance, variance) + model.covariance**2) / n)
    assert (np.abs(np.cov(draws.T) - model.covariance) < 5 * error).all()


def test_a_state_goes_through_json_and_on() -> None:
    features, rewards = seen()
    model = LinearThompson(4, prior=0.7, noise=0.4)
    model.update(features, rewards)
    other = LinearThompson(4)
    other.load(json.loads(json.dumps(model.state())))
    assert other.state() == model.state()
    np.testing.assert_array_equal(other.draw(np.random.default_rng(3)), model.draw(np.random.default_rng(3)))
    for one in (model, other):
        one.fade(0.5)
        one.update(features[:3], rewards[:3])
    np.testing.assert_array_equal(other.mean, model.mean)


def test_what_fades_goes_back_to_the_prior() -> None:
    features, rewards = seen()
    model = LinearThompson(4, prior=0.7)
    model.update(features, rewards)
    model.fade(0.0)
    np.testing.assert_allclose(model.mean, 0)
    np.testing.assert_allclose(model.covariance, np.eye(4) * 0.49)


def test_many_readers_at_once_are_each_reader_alone() -> None:
    features, rewards = np.stack([seen(seed=s)[0] for s in range(3)]), np.stack([seen(seed=s)[1] for s in range(3)])
    many = Posterior.before((3, 4), 1.0).seen(features, rewards, 0.5)
    noise = np.random.default_rng(0).normal(size=(3, 4))
    for r in range(3):
        alone = Posterior.before((4,), 1.0).seen(features[r], rewards[r], 0.5)
        np.testing.assert_allclose(many.mean[r], alone.mean, rtol=1e-9)
        np.testing.assert_allclose(many.draw(noise)[r], alone.draw(noise[r]), rtol=1e-9)


def test_what_cannot_be_is_refused_in_one_line() -> None:
    model = LinearThompson(3)
    with pytest.raises(UsageError, match=r"features \(n, 3\)"):
        model.update(np.zeros((2, 4)), np.zeros(2))
    with pytest.raises(UsageError, match="finite"):
        model.update(np.full((1, 3), np.nan), np.zeros(1))
    with pytest.raises(UsageError, match="above 0"):
        LinearThompson(3, noise=0.0)
    with pytest.raises(DataError, match="starting anew"):
        model.load(LinearThompson(4).state())
    with pytest.raises(DataError, match="state"):
        model.load({"version": 1})
    with pytest.raises(DataError, match="newer"):
        model.load({**model.state(), "version": 2})
