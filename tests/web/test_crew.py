"""Forwards side by side give what they give one after the other, and leave torch's threads as they were."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch

from heedful.tasks.task import Asked
from heedful.web.runs.crew import Crew
from heedful.web.runs.table import open_run

LENGTHS = [1, 40, 3, 60, 20, 64, 8, 30, 50, 2]


def test_parts_are_worked_on_at_once_and_come_back_in_order() -> None:
    met = threading.Barrier(2, timeout=30)  # each waits for another: one thread alone would never pass

    def work(part: int) -> tuple[int, int, str]:
        met.wait()
        return part, torch.get_num_threads(), threading.current_thread().name

    before = torch.get_num_threads()
    try:
        found = Crew(2).each(work, [0, 1, 2, 3])
        assert [part for part, _, _ in found] == [0, 1, 2, 3]
        assert {threads for _, threads, _ in found} == {1}
        assert all(name.startswith("heedful-crew") for _, _, name in found)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_part_alone_is_worked_on_here() -> None:
    assert Crew(2).each(lambda part: (part, threading.current_thread()), [7]) == [(7, threading.current_thread())]


def test_an_error_of_one_part_is_the_batchs() -> None:
    before = torch.get_num_threads()
    try:
        with pytest.raises(ZeroDivisionError):
            Crew(2).each(lambda part: 1 // part, [1, 0, 1])
    finally:
        torch.set_num_threads(before)


def test_a_classifier_answers_the_same_with_a_crew(runs: dict[str, Path]) -> None:
    texts = [" ".join(["to", "be", "or", "not"][i % 4] for i in range(length)) for length in LENGTHS]
    run = open_run(runs["mood"])
    run.loaded.model.double()  # type: ignore[attr-defined]  # padding rounds far below the six decimals of a record
    before = torch.get_num_threads()
    try:
        run.crew = Crew(1)  # type: ignore[attr-defined]
        one = run.answers(texts, Asked())
        run.crew = Crew(2)  # type: ignore[attr-defined]
        for _ in range(5):
            assert run.answers(texts, Asked()) == one
        assert run.crew.pool is not None  # type: ignore[attr-defined]
    finally:
        torch.set_num_threads(before)
