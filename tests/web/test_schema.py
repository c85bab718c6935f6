"""The API against its own description: whatever schemathesis thinks of, no answer is a failure of the server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from heedful.web.app import build
from heedful.web.hall import Hall
from heedful.web.limits import Limits
from heedful.web.runs.table import open_run

schemathesis = pytest.importorskip("schemathesis")
positive_data_acceptance = pytest.importorskip("schemathesis.specs.openapi.checks").positive_data_acceptance
pytestmark = pytest.mark.filterwarnings("default")
FEW = settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
MANY = settings(FEW, max_examples=400)


def check(runs: dict[str, Path], how: settings) -> list[str]:
    """Every door asked with what fits its description and what does not; the answers must be as described, and no 5xx."""
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
            case.call_and_validate(excluded_checks=[positive_data_acceptance])  # a run of no such name is of the right form, and refused

        fits()
        asked.append(operation.label)
    return asked


def test_no_answer_is_a_failure_of_the_server(runs: dict[str, Path]) -> None:
    assert len(check(runs, FEW)) == 8


@pytest.mark.slow
def test_the_same_with_many_more(runs: dict[str, Path]) -> None:
    assert len(check(runs, MANY)) == 8
