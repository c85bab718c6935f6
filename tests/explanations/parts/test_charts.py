from __future__ import annotations

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heedful.errors import UsageError
from heedful.explanations.parts.bars import Bar, bars
from heedful.explanations.parts.lines import Line, frame_of, lines, thinned, ticks
from heedful.explanations.parts.table import number, table

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=20))
def test_every_point_lies_inside_its_frame(points: list[tuple[float, float]]) -> None:
    frame = frame_of([Line("any", points)])
    for x, y in points:
        across, down = frame.at(x, y)
        assert -1e-3 <= across <= 1000.001
        assert -1e-3 <= down <= 1000.001


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_few_even_and_inside(low: float, span: float) -> None:
    marks = ticks(low, low + span)
    assert 2 <= len(marks) <= 8
    gaps = [b - a for a, b in pairwise(marks)]
    assert max(gaps) - min(gaps) < 1e-6 * max(1, abs(low), span)


def test_long_lines_are_thinned_but_keep_their_ends() -> None:
    points = [(float(i), float(i)) for i in range(5000)]
    few = thinned(points)
    assert len(few) <= 401
    assert (few[0], few[-1]) == (points[0], points[-1])


def test_levels_are_drawn_across_and_named() -> None:
    whole = lines([Line("loss", [(0, 3.0), (10, 1.0)]), Line("trigram", [(0, 2.0)], level=True)], "step", "nats", "curve")
    drawn = re.findall(r'points="([^"]*)"', whole)
    assert drawn[1].split()[0].startswith("0.0,")
    assert drawn[1].split()[1].startswith("1000.0,")
    assert ">trigram<" in whole


def test_what_is_not_finite_is_left_out() -> None:
    whole = lines([Line("loss", [(0, 3.0), (5, math.inf), (10, math.nan), (15, 1.0)])], "step", "nats", "curve")
    assert "inf" not in whole
    assert "nan" not in re.findall(r'points="([^"]*)"', whole)[0]


def test_a_chart_needs_a_point() -> None:
    with pytest.raises(UsageError, match="nothing to draw"):
        lines([Line("loss", [])], "step", "nats", "empty")


def test_bars_are_in_proportion_and_say_their_numbers() -> None:
    whole = bars([Bar("<a>", 4.0, "most"), Bar("b", 1.0), Bar("c", 0.0)], "three", "tokens")
    assert re.findall(r"width:([\d.]+)%", whole) == ["100.0", "25.0", "0.0"]
    assert "4.00 tokens" in whole
    assert "&lt;a&gt;" in whole


def test_tables_align_numbers_and_escape_text() -> None:
    whole = table(["name", "value"], [["<script>", 0.5], ["b", None]], "a table")
    assert "&lt;script&gt;" in whole
    assert '<th scope="col" class="number">value</th>' in whole
    assert '<td data-label="value"></td>' in whole


def test_only_rows_of_many_cells_are_stacked_on_a_phone() -> None:
    assert 'class="stack"' not in table(["a", "b", "c"], [["x", 1, 2]], "narrow")
    assert 'class="stack"' in table(["a", "b", "c", "d"], [["x", 1, 2, "+3.0 %"]], "wide")


@pytest.mark.parametrize(("value", "shown"), [(0.5, "0.500"), (12.345, "12.3"), (1e12, "1e+12"), (5, "5"), (math.inf, "inf")])
def test_numbers_have_three_figures(value: float, shown: str) -> None:
    assert number(value) == shown
