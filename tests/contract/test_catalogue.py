"""Every table's rows are whole: named once, sourced, built for a shape, and what they build is what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from heedful.attention.linear.table import FEATURE_MAPS
from heedful.attention.masks.table import MASKS
from heedful.attention.mechanism import Mechanism, Shape, by_name, create
from heedful.attention.positions.table import POSITIONS
from heedful.attention.scores.table import SCORES
from heedful.attention.weightings.table import WEIGHTINGS
from heedful.errors import UsageError
from heedful.layers.gates.table import GATES

TABLES: dict[str, Sequence[Mechanism[Any]]] = {
    "score": SCORES,
    "mask": MASKS,
    "position": POSITIONS,
    "weighting": WEIGHTINGS,
    "feature map": FEATURE_MAPS,
    "gate": GATES,
}
SHAPE = Shape(heads=4, kv_heads=2, d=8, q=6, k=6)
ROWS = [(family, row) for family, table in TABLES.items() for row in table]


@pytest.mark.parametrize(("family", "row"), ROWS, ids=lambda x: x if isinstance(x, str) else x.name)
def test_row(family: str, row: Mechanism[Any]) -> None:
    built = create(family, TABLES[family], row.name, SHAPE, {})
    assert isinstance(built, row.kind)
    assert row.formula
    assert row.source
    assert row.kind.__doc__
    assert row.kind.__name__ in dir(__import__(f"heedful.{'linear' if family == 'feature map' else family + 's'}", fromlist=["x"]))


@pytest.mark.parametrize("family", TABLES)
def test_names_stand_once(family: str) -> None:
    names = [name for row in TABLES[family] for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names))


def test_an_option_that_is_not_taken_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="option of score additive 'hiden': did you mean 'hidden'"):
        create("score", SCORES, "additive", SHAPE, {"hiden": 3})


def test_a_name_is_enough_only_for_plain_rows() -> None:
    for row in SCORES:
        if row.plain:
            assert isinstance(by_name("score", SCORES, row.name), row.kind)
        else:
            with pytest.raises(UsageError, match=f"heedful.scores.{row.kind.__name__}"):
                by_name("score", SCORES, row.name)
