from __future__ import annotations

from itertools import count as counting

from heedful.cost.measure import Patience, medians, minima, turn


def test_rivals_take_turns() -> None:
    order: list[str] = []
    minima([lambda: order.append("a"), lambda: order.append("b")], Patience(seconds=0.0, rounds=3, share=-1.0))
    assert order[-12:] == [
        *"aabb",
        *"bbaa",
        *"aabb",
    ]  # twice each, the first with the caches full of the other's; another begins each round


def test_rounds_are_bounded() -> None:
    count: list[int] = []
    minima([lambda: count.append(1)], Patience(seconds=100.0, rounds=1, most=2, share=-1.0))
    assert len(count) <= 6


def test_a_quick_run_is_repeated_while_there_is_time() -> None:
    count: list[int] = []
    turn(lambda: count.append(1), allowance=10.0)
    assert len(count) == 5


def test_the_middle_one_of_several_runs() -> None:
    ticks = iter(
        [0.0, 0.0, *(x for start, took in ((1, 3.0), (10, 1.0), (20, 2.0)) for x in (start, start + took))]
    )  # a warm-up, three runs
    runs = counting()
    assert medians([lambda: next(runs)], Patience(seconds=0.0, rounds=3), lambda: next(ticks)) == [2000.0]
    assert next(runs) == 4


def test_the_first_in_each_round_is_another() -> None:
    order: list[str] = []
    medians([lambda: order.append("a"), lambda: order.append("b")], Patience(seconds=0.0, rounds=3))
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"
