"""Order and parts: what may not leak, and what equal times do."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from heedful.data.interactions.log import Log
from heedful.data.interactions.sequences import said, sequences
from heedful.data.interactions.simulated import simulated_reader
from heedful.errors import DataError
from heedful.spec.interactions import LogDataSpec

EVENTS = some.lists(some.tuples(some.integers(0, 4), some.integers(0, 9), some.integers(0, 12)), min_size=12, max_size=60)


def log_of(events: list[tuple[int, int, int]]) -> Log:
    return Log.of("made", [(f"u{user}", f"i{item}", float(time), None) for user, item, time in events])


@given(EVENTS, some.sampled_from(["random", "file", "item"]), some.booleans())
def test_one_moment_parts_everybody(events: list[tuple[int, int, int]], ties: str, repeats: bool) -> None:
    spec = LogDataSpec(validation=0.2, test=0.2, ties=ties, repeats=repeats)  # type: ignore[arg-type]
    try:
        found = sequences(log_of(events), spec)
    except DataError:
        return  # all at one moment: nothing to learn from
    late = [found.time[found.part == part] for part in (0, 1, 2)]
    for earlier, later in pairwise(late):
        if len(earlier) and len(later):
            assert earlier.max() < later.min()
    for start, end in zip(found.starts[:-1], found.starts[1:], strict=True):
        assert (np.diff(found.time[start:end]) >= 0).all()
        assert repeats or len(set(found.item[start:end].tolist())) == end - start
    learnt = sum(map(len, found.rows()))
    assert learnt == int((found.part == 0).sum())


def test_leave_one_out_takes_the_last_and_the_one_before() -> None:
    log = Log.of("made", [("a", f"i{i}", None, None) for i in range(4)] + [("b", f"i{i}", None, None) for i in range(2)])
    found = sequences(log, LogDataSpec(split="leave-one-out", ties="file"))
    assert found.part.tolist() == [0, 0, 1, 2, 0, 0]
    assert [found.names[found.item[place]] for place in found.targets("test")] == ["i3"]
    assert found.targets("whole").tolist() == [1, 2, 3, 5]


def test_ties_stand_as_the_rule_says() -> None:
    log = Log.of("made", [("a", name, 5.0, None) for name in ("c", "a", "b")] + [("b", "z", 1.0, None)])

    def names(ties: str, order: int = 0) -> list[str]:
        found = sequences(log, LogDataSpec(split="leave-one-out", ties=ties), order)  # type: ignore[arg-type]
        return [found.names[i] for i in found.item[:3]]

    assert names("file") == ["c", "a", "b"]
    assert names("item") == ["a", "b", "c"]
    assert len({tuple(names("random", order)) for order in range(20)}) > 1
    assert names("random") == names("random")


def test_a_model_knows_its_own_items_and_the_others_come_after() -> None:
    found = sequences(log_of([(0, 1, 1), (0, 2, 2), (0, 3, 3), (0, 4, 4)]), LogDataSpec(split="leave-one-out"))
    coded = found.coded(["i2", "i9"])
    assert coded.names == ("i2", "i9", "i1", "i3", "i4")
    assert coded.item.tolist() == [2, 0, 3, 4]


def test_a_log_without_times_cannot_be_split_by_them() -> None:
    log = Log.of("made", [("a", "x", None, None), ("a", "y", None, None)])
    with pytest.raises(DataError, match="leave-one-out would work"):
        sequences(log, LogDataSpec())


def test_it_says_what_was_done() -> None:
    spec = LogDataSpec()
    text = said(sequences(log_of([(0, i, 3) for i in range(6)] + [(1, i, i + 4) for i in range(9)]), spec), spec)
    assert "one moment for everybody" in text
    assert "5 interactions share their time" in text


def test_the_simulated_log_is_the_same_everywhere() -> None:
    one, other = simulated_reader(), simulated_reader()
    assert (one.time == other.time).all()
    assert one.about_items == other.about_items
    assert (np.diff(one.time) >= 0).all()
