"""Budgets: what an amount means, and one line for what it cannot mean."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heedful.errors import UsageError
from heedful.spec import Budget
from heedful.spec.budget import UNITS, read

DENSE = {"milliseconds": 80.0, "operations": 1e10, "bytes": 2.0**30}


@pytest.mark.parametrize(
    ("resource", "amount", "limit"),
    [
        ("milliseconds", 0.5, 40.0),
        ("milliseconds", 1, 80.0),
        ("milliseconds", "0.25", 20.0),
        ("milliseconds", "40ms", 40.0),
        ("milliseconds", "1.2s", 1200.0),
        ("milliseconds", "  15 us ", 0.015),
        ("operations", "2e9", 2e9),
        ("operations", "3 G", 3e9),
        ("operations", ".5", 5e9),
        ("bytes", "64MiB", 64 * 2.0**20),
        ("bytes", "64MB", 64e6),
        ("bytes", "100B", 100.0),
        ("bytes", 0.25, 2.0**28),
    ],
)
def test_amounts(resource: str, amount: float | str, limit: float) -> None:
    assert Budget(**{resource: amount}).limits(DENSE) == {resource: pytest.approx(limit)}


def test_several_at_once() -> None:
    found = Budget(milliseconds=0.5, operations="1e9", bytes="1GiB", length=8192, phase="decode").limits(DENSE)
    assert found == {"milliseconds": 40.0, "operations": 1e9, "bytes": 2.0**30}


@pytest.mark.parametrize(
    ("arguments", "field", "help"),
    [
        ({}, "budget", "milliseconds=0.5"),
        ({"milliseconds": 40}, "milliseconds", "'40ms'"),
        ({"milliseconds": 0}, "milliseconds", "above 0"),
        ({"milliseconds": -0.5}, "milliseconds", "above 0"),
        ({"milliseconds": math.nan}, "milliseconds", "above 0"),
        ({"milliseconds": math.inf}, "milliseconds", "at most 1"),
        ({"milliseconds": True}, "milliseconds", "share"),
        ({"milliseconds": "40"}, "milliseconds", "'40ms'"),
        ({"milliseconds": "40 MiB"}, "milliseconds", "unknown unit"),
        ({"milliseconds": "fast"}, "milliseconds", "cannot read"),
        ({"milliseconds": "-1ms"}, "milliseconds", "above 0"),
        ({"milliseconds": "1e999ms"}, "milliseconds", "above 0"),
        ({"milliseconds": ""}, "milliseconds", "cannot read"),
        ({"operations": 2e9}, "operations", "'2e+09'"),
        ({"bytes": "64"}, "bytes", "'64B'"),
        ({"bytes": "64mib"}, "bytes", "MiB"),
        ({"bytes": 0.5, "length": 0}, "length", "above 0"),
        ({"bytes": 0.5, "phase": "both"}, "phase", "prefill, decode"),
    ],
)
def test_one_line_for_what_cannot_be_meant(arguments: dict, field: str, help: str) -> None:
    with pytest.raises(UsageError) as caught:
        Budget(**arguments)
    assert str(caught.value).startswith(f"{field}: ")
    assert help in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.floats(1e-3, 1e9), st.sampled_from([(resource, unit) for resource, units in UNITS.items() for unit in units if unit]))
def test_a_unit_is_a_factor(number: float, place: tuple[str, str]) -> None:
    resource, unit = place
    found, share = read(resource, f"{number!r}{unit}")
    assert not share
    assert found == pytest.approx(number * UNITS[resource][unit])


@given(st.text(max_size=8))
def test_any_text_is_an_amount_or_is_refused(text: str) -> None:
    for resource in UNITS:
        with contextlib.suppress(UsageError):
            number, share = read(resource, text)
            assert number > 0
            assert not share or number <= 1
