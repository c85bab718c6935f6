"""The quick form of the greedy edition beside the plain one, which asks every item for its gain by the definition: equal to the bit."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from heedful.diet.edition.greedy import ROUNDS, SHORT, greedy, told
from heedful.diet.edition.ledger import Ledger
from heedful.diet.edition.menu import SLACK, Appetite, Bound, Candidate, Diet, Edition
from heedful.diet.policy.propensity import propensities

FACETS = {"topic": 8, "source": 30, "view": 3, "depth": 3, "new": 2}


class Plain(Ledger):
    """Gains and room as they are defined."""

    def fits(self, i: int) -> bool:
        minutes = self.candidates[i].minutes - SLACK
        return self.spent + minutes <= self.diet.minutes and all(self.by_group[g] + minutes <= self.most[g] for g in self.groups[i])

    def gain(self, i: int) -> float:
        one = self.candidates[i]
        total = self.values[i] - self.diet.worth * one.minutes
        for g in self.groups[i]:
            for slope in self.slopes[g]:
                total += slope.at(self.by_group[g] + one.minutes) - slope.at(self.by_group[g])
        return total - self.diet.redundancy if one.story is not None and self.stories.get(one.story) else total


def plainly(candidates: list[Candidate], diet: Diet) -> Edition:
    """Floors, the best a minute again and again, exchanges: nothing is remembered from one step to the next."""
    ledger = Plain(diet, candidates)
    everything = range(len(candidates))
    for group in sorted(ledger.short(), key=lambda g: -ledger.least[g]):
        while ledger.by_group[group] < ledger.least[group] - SLACK and taken(ledger, [i for i in everything if group in ledger.groups[i]]):
            pass
    promising = [i for i in everything if ledger.gain(i) > 0]
    orders = [sorted(everything, key=key) for key in (lambda i: -ledger.gain(i), lambda i: -a_minute(ledger, i))]
    promising = sorted({i for order in orders for i in order[:SHORT]} & set(promising))
    while taken(ledger, [i for i in everything if ledger.gain(i) > 0]):
        pass
    for _ in range(ROUNDS):
        found = [exchanged(ledger, promising, out) for out in list(ledger.taken)]
        if not any(found):
            break
    return told(ledger)


def a_minute(ledger: Ledger, i: int) -> float:
    return ledger.gain(i) / ledger.candidates[i].minutes


def taken(ledger: Ledger, items: list[int]) -> bool:
    """Whether one of the items, the best a minute, went in."""
    able = [i for i in items if i not in ledger.taken and ledger.fits(i)]
    if able:
        ledger.take(max(able, key=partial(a_minute, ledger)))
    return bool(able)


def exchanged(ledger: Ledger, promising: list[int], out: int) -> bool:
    if ledger.needed(out):
        return False
    ledger.drop(out)
    lost, best, chosen = ledger.gain(out), 0.0, []
    others = [i for i in promising if i not in ledger.taken and ledger.fits(i) and ledger.gain(i) > 0]
    for order in (lambda i: -ledger.gain(i), lambda i: -a_minute(ledger, i)):
        total, came = 0.0, []
        for i in sorted(others, key=order)[:24]:
            gain = ledger.gain(i)
            if gain > 0 and ledger.fits(i):
                ledger.take(i)
                came.append(i)
                total += gain
        for i in came:
            ledger.drop(i)
        if total > best:
            best, chosen = total, came
    gained = best > lost + SLACK
    for i in chosen if gained else [out]:
        ledger.take(i)
    return gained


def crowd(rng: np.random.Generator, n: int) -> list[Candidate]:
    return [
        Candidate(
            f"i{i}",
            float(rng.lognormal(1.0, 0.7)) + 0.5,
            float(rng.normal(1.5, 2.0)),
            {facet: str(rng.integers(groups)) for facet, groups in FACETS.items() if rng.random() < 0.9},
            f"t{rng.integers(20)}" if rng.random() < 0.5 else None,
        )
        for i in range(n)
    ]


def diets(rng: np.random.Generator) -> Diet:
    appetites = tuple(Appetite(facet, float(rng.uniform(0, 0.6)), float(rng.uniform(0.05, 0.5))) for facet in FACETS for _ in range(2))
    bounds = (Bound("source", most=0.4), Bound("new", "1", least=0.2), Bound("view", "2", least=0.1, most=0.3))
    return Diet(float(rng.uniform(5, 60)), float(rng.uniform(-0.2, 0.2)), appetites, bounds, redundancy=float(rng.uniform(0, 2)))


@pytest.mark.parametrize("seed", range(12))
def test_it_chooses_as_the_plain_form_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    candidates, diet = crowd(rng, int(rng.integers(1, 120))), diets(rng)
    assert greedy(candidates, diet) == plainly(candidates, diet)


@pytest.mark.parametrize("seed", range(4))
def test_gains_and_room_are_those_of_the_definition_to_the_bit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    candidates, diet = crowd(rng, 60), diets(rng)
    quick, plain = Ledger(diet, candidates), Plain(diet, candidates)
    for i in rng.permutation(60)[:20].tolist():
        assert [quick.gain(j) for j in range(60)] == [plain.gain(j) for j in range(60)]
        assert [quick.fits(j) for j in range(60)] == [plain.fits(j) for j in range(60)]
        for ledger in (quick, plain):
            ledger.take(i)
            if i % 3 == 0:
                ledger.drop(i)


def test_propensities_are_shares_of_plain_editions() -> None:
    rng = np.random.default_rng(5)
    candidates, diet = crowd(rng, 40), diets(rng)
    values = np.array([one.value for one in candidates])

    def draws(generator: np.random.Generator) -> np.ndarray:
        return values + generator.normal(0, 1, len(values))

    again, count = np.random.default_rng(9), np.zeros(40)
    for _ in range(12):
        drawn = draws(again)
        inside = set(plainly([replace(one, value=float(v)) for one, v in zip(candidates, drawn, strict=True)], diet).keys)
        count += [one.key in inside for one in candidates]
    assert propensities(draws, candidates, diet, times=12, seed=9).tolist() == (count / 12).tolist()
