"""The API against its own description: whatever schemathesis thinks of, no answer is a failure of the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from heedful.tasks.table import TASKS
from heedful.web.app import build
from heedful.web.hall import Hall
from heedful.web.limits import Limits
from heedful.web.runs.table import open_run
from web.learnt import learnt

schemathesis = pytest.importorskip("schemathesis")
positive_data_acceptance = pytest.importorskip("schemathesis.specs.openapi.checks").positive_data_acceptance
pytestmark = pytest.mark.filterwarnings("default")
KINDS = [task.name for task in TASKS if task.name not in ("generate", "classify")]  # those two stand above, made without learning
FEW = settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
PATIENCE = 250.0  # seconds
MANY = settings(FEW, max_examples=400)
MODEL = settings(FEW, max_examples=40)


def check(runs: dict[str, Path], how: settings) -> list[str]:
    """Every door asked with what fits its description and what does not; the answers must be as described, and no 5xx.

    Several runs are served together only where a request may name none of them; a run alone needs no name, so that its model is asked.
    """
    hall = Hall({name: open_run(path) for name, path in runs.items()}, Limits(tokens=20))
    schema = schemathesis.openapi.from_asgi("/openapi.json", build(hall))
    asked = []
    for found in schema.get_all_operations():
        operation = found.ok()
        meant = operation.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
        twisted = operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

        @how
        @given(case=meant | twisted if operation.body or operation.query else meant)
        def fits(case: Any) -> None:
            # A run of no such name is of the right form, and refused; how long an answer takes on a busy machine is not asked here.
            case.call_and_validate(excluded_checks=[positive_data_acceptance], timeout=PATIENCE)

        fits()
        asked.append(operation.label)
    return asked


def test_no_answer_is_a_failure_of_the_server(runs: dict[str, Path]) -> None:
    assert len(check(runs, FEW)) == 8


@pytest.mark.slow
def test_the_same_with_many_more(runs: dict[str, Path]) -> None:
    assert len(check(runs, MANY)) == 8


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("name", ["mood", "prose", "shapes", "words", "ears", "eyes"])
def test_a_run_alone_is_asked_itself(runs: dict[str, Path], name: str) -> None:
    assert len(check({name: runs[name]}, MODEL)) == 8


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("task", KINDS)
def test_runs_of_every_task(task: str, tmp_path: Path) -> None:
    assert len(check({task: learnt(task, tmp_path / task)}, FEW)) == 8
