"""Many editions at once are each what `greedy` makes without exchanges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from heedful.diet.edition.batched import Menus, batched
from heedful.diet.edition.greedy import greedy
from heedful.diet.edition.menu import Appetite, Bound, Candidate, Diet
from heedful.errors import UsageError

DIETS = [
    Diet(30.0),
    Diet(12.0, worth=0.8),
    Diet(30.0, appetites=(Appetite("topic", 0.5, 0.3), Appetite("depth", 0.2, 0.4, {"1": 0.9})), redundancy=1.5),
    Diet(30.0, worth=0.1, bounds=(Bound("source", most=0.2), Bound("topic", "2", least=0.3), Bound("topic", "1", most=0.1))),
    Diet(25.0, bounds=(Bound("depth", "2", least=0.35), Bound("topic", "3", least=0.25), Bound("source", "0", least=0.1)), redundancy=2.0),
]


def drawn(r: int = 25, n: int = 40, seed: int = 0) -> Menus:
    rng = np.random.default_rng(seed)
    facets = {"topic": rng.integers(5, size=(r, n)), "source": rng.integers(9, size=(r, n)), "depth": rng.integers(3, size=(r, n))}
    return Menus(rng.normal(2, 3, (r, n)), rng.lognormal(1.0, 0.6, (r, n)) + 0.5, facets, rng.integers(12, size=(r, n)))


def one_by_one(menus: Menus, row: int, diet: Diet) -> set[int]:
    assert menus.story is not None
    candidates = [
        Candidate(
            str(i),
            float(menus.minutes[row, i]),
            float(menus.values[row, i]),
            {facet: str(of[row, i]) for facet, of in menus.facets.items()},
            str(menus.story[row, i]),
        )
        for i in range(menus.values.shape[1])
        if np.isfinite(menus.minutes[row, i])
    ]
    return {int(key) for key in greedy(candidates, diet, rounds=0).keys}


@pytest.mark.parametrize("diet", DIETS)
def test_each_row_is_what_greedy_makes_of_it_alone(diet: Diet) -> None:
    menus = drawn()
    picks = batched(menus, diet)
    for row in range(len(picks)):
        chosen = picks[row][picks[row] >= 0]
        assert len(set(chosen)) == len(chosen)
        assert set(chosen) == one_by_one(menus, row, diet), row


def test_candidates_that_are_not_there_are_not_taken() -> None:
    menus = drawn(5)
    minutes = menus.minutes.copy()
    minutes[:, ::2] = np.inf
    minutes[0] = np.inf
    fewer = replace(menus, minutes=minutes)
    picks = batched(fewer, DIETS[2])
    assert (picks[0] == -1).all()
    for row in range(1, 5):
        assert set(picks[row][picks[row] >= 0]) == one_by_one(fewer, row, DIETS[2])


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match="one shape"):
        Menus(np.zeros((2, 3)), np.ones((2, 4)), {})
