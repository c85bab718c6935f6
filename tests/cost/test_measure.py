from __future__ import annotations

from heedful.cost.measure import Patience, minima, turn


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
