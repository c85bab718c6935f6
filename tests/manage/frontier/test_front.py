from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from heedful.manage.frontier.frontier import front

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=12)


@given(POINTS)
def test_the_front_is_what_nothing_beats(points: list[tuple[int, int]]) -> None:
    cost, loss = (np.array(column, dtype=float) for column in zip(*points, strict=True))
    on = front(cost, loss)
    for i in range(len(points)):
        beaten = any(cost[j] <= cost[i] and loss[j] <= loss[i] and (cost[j] < cost[i] or loss[j] < loss[i]) for j in range(len(points)))
        assert on[i] != beaten
    assert on.any()
