"""Editions keep to their budget, ceilings and floors; the greedy one is near the best; every share adds up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful.diet.edition.exact import exact
from heedful.diet.edition.greedy import greedy
from heedful.diet.edition.menu import SLACK, Appetite, Bound, Candidate, Diet, Edition
from heedful.errors import UsageError

TOPICS = ("world", "science", "sport", "arts")


def drawn(seed: int, n: int = 60) -> list[Candidate]:
    rng = np.random.default_rng(seed)
    return [
        Candidate(
            f"i{i}",
            float(rng.lognormal(1.0, 0.6)) + 0.5,
            float(rng.gamma(2.0, 2.0)),
            {"topic": TOPICS[rng.integers(4)], "source": f"s{rng.integers(12)}"},
            f"t{rng.integers(20)}" if rng.random() < 0.5 else None,
        )
        for i in range(n)
    ]


def wanted(minutes: float = 30.0) -> Diet:
    return Diet(
        minutes,
        worth=0.1,
        appetites=(Appetite("topic", 0.5, 0.3),),
        bounds=(Bound("source", most=0.3), Bound("topic", "science", least=0.2), Bound("topic", "sport", most=0.25)),
        redundancy=1.5,
    )


def total(candidates: list[Candidate], keys: tuple[str, ...], diet: Diet) -> float:
    """What an edition is worth, written out from the definition."""
    chosen = [one for one in candidates if one.key in keys]
    worth = sum(one.value for one in chosen)
    for want in diet.appetites:
        for label in {one.facets[want.facet] for one in chosen if want.facet in one.facets}:
            minutes, half = sum(one.minutes for one in chosen if one.facets.get(want.facet) == label), want.target * diet.minutes / 2
            worth += want.weight * (min(minutes, half) + 0.5 * min(max(minutes - half, 0), half))
    stories = [one.story for one in chosen if one.story]
    return worth - diet.redundancy * (len(stories) - len(set(stories)))


def holds(candidates: list[Candidate], edition: Edition, diet: Diet) -> None:
    chosen = {one.key: one for one in candidates if one.key in edition.keys}
    assert len(chosen) == len(edition.keys)
    assert sum(one.minutes for one in chosen.values()) <= diet.minutes + len(chosen) * SLACK
    for bound in diet.bounds:
        for label in {one.facets[bound.facet] for one in candidates if bound.facet in one.facets}:
            if bound.group in (None, label):
                minutes = sum(one.minutes for one in chosen.values() if one.facets.get(bound.facet) == label)
                assert minutes <= bound.most * diet.minutes + len(chosen) * SLACK
                assert minutes >= bound.least * diet.minutes - (len(chosen) + 1) * SLACK or f"{bound.facet} {label}" in edition.unmet


@pytest.mark.parametrize("choose", [greedy, exact])
@pytest.mark.parametrize("seed", range(3))
def test_an_edition_keeps_to_its_diet_and_adds_up(choose: object, seed: int) -> None:
    candidates, diet = drawn(seed), wanted()
    edition = choose(candidates, diet)  # type: ignore[operator]
    holds(candidates, edition, diet)
    assert not edition.unmet
    assert edition.total == pytest.approx(total(candidates, edition.keys, diet))
    assert edition.total == pytest.approx(sum(share.gain for share in edition.shares))


def test_the_greedy_edition_is_within_two_hundredths_of_the_best_on_average() -> None:
    ratios = []
    for seed in range(12):
        candidates, diet = drawn(seed, 50), wanted()
        quick, best = greedy(candidates, diet), exact(candidates, diet)
        value = [edition.total - diet.worth * edition.minutes for edition in (quick, best)]
        assert value[0] <= value[1] * (1 + 1e-4)  # HiGHS stops within 1e-4 of the best
        ratios.append(value[0] / value[1])
    assert np.mean(ratios) >= 0.98


def test_the_exact_edition_is_the_best_of_all() -> None:
    candidates, diet = drawn(7, 11), wanted(14.0)
    best = max(
        (total(candidates, keys, diet) - diet.worth * sum(one.minutes for one in candidates if one.key in keys), keys)
        for keys in subsets(candidates, diet)
    )
    found = exact(candidates, diet)
    assert found.total - diet.worth * found.minutes == pytest.approx(best[0], rel=1e-4)


def subsets(candidates: list[Candidate], diet: Diet) -> list[tuple[str, ...]]:
    found = []
    for bits in range(1 << len(candidates)):
        chosen = [one for i, one in enumerate(candidates) if bits >> i & 1]
        keys = tuple(one.key for one in chosen)
        if sum(one.minutes for one in chosen) <= diet.minutes:
            try:
                holds(candidates, Edition((), diet.minutes, 0.0), Diet(diet.minutes))
                within(chosen, diet)
            except AssertionError:
                continue
            found.append(keys)
    return found


def within(chosen: list[Candidate], diet: Diet) -> None:
    for bound in diet.bounds:
        for label in (*TOPICS, *(f"s{i}" for i in range(12))):
            minutes = sum(one.minutes for one in chosen if one.facets.get(bound.facet) == label)
            if bound.group == label or (bound.group is None and minutes):
                assert bound.least * diet.minutes <= minutes <= bound.most * diet.minutes


def test_minutes_that_nothing_is_worth_are_left_unspent() -> None:
    dull = [Candidate("dull", 5.0, 1.0), Candidate("worse", 5.0, -1.0), Candidate("good", 5.0, 10.0)]
    for choose in (greedy, exact):
        edition = choose(dull, Diet(minutes=60.0, worth=0.5))
        assert edition.keys == ("good",)
        assert edition.minutes == 5.0


def test_a_floor_is_kept_even_by_what_is_worth_little_and_named_as_the_reason() -> None:
    read = [Candidate("sport", 5.0, 10.0, {"topic": "sport"}), Candidate("law", 5.0, 0.1, {"topic": "law"})]
    for choose in (greedy, exact):
        edition = choose(read, Diet(minutes=10.0, worth=1.0, bounds=(Bound("topic", "law", least=0.5),)))
        assert set(edition.keys) == {"sport", "law"}
        assert [share.floor for share in edition.shares] == [None, "topic law"]


def test_a_floor_that_nothing_can_fill_is_said() -> None:
    read = [Candidate("law", 30.0, 1.0, {"topic": "law"}), Candidate("note", 1.0, 1.0, {"topic": "law"})]
    for choose in (greedy, exact):
        edition = choose(read, Diet(minutes=10.0, bounds=(Bound("topic", "law", least=0.5),)))
        assert edition.keys == ("note",)
        assert edition.unmet == ("topic law",)


@given(
    st.lists(st.tuples(st.floats(0.1, 60), st.floats(-5, 50), st.sampled_from(TOPICS)), max_size=40),
    st.floats(0, 90),
    st.floats(0, 1),
    st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_never_over_budget_or_ceiling(items: list[tuple[float, float, str]], minutes: float, most: float, floor: float) -> None:
    candidates = [Candidate(str(i), m, v, {"topic": t}) for i, (m, v, t) in enumerate(items)]
    bounds = (Bound("topic", most=most), Bound("topic", "arts", least=min(floor, most), most=most))
    diet = Diet(minutes, bounds=bounds, appetites=(Appetite("topic", 1.0),))
    holds(candidates, greedy(candidates, diet), diet)


def test_what_cannot_be_is_refused_in_one_line() -> None:
    with pytest.raises(UsageError, match="minutes above 0"):
        greedy([Candidate("a", 0.0, 1.0)], Diet(10.0))
    with pytest.raises(UsageError, match="twice"):
        greedy([Candidate("a", 1.0, 1.0), Candidate("a", 1.0, 1.0)], Diet(10.0))
    with pytest.raises(UsageError, match="least <= most"):
        Bound("topic", "law", least=0.6, most=0.5)
    with pytest.raises(UsageError, match="name the group"):
        Bound("topic", least=0.2)
