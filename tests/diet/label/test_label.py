"""The label: what was read, by its minutes, against targets; and as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from heedful.diet.day.setting import changed
from heedful.diet.label.label import label
from heedful.diet.label.picture import MOST, fonts, rows, save, svg
from heedful.diet.store.rows import Feedback, Item, Made, Shown, Source
from heedful.diet.store.store import Store, open_store
from heedful.errors import HeedfulError, UsageError

NOW = 1_700_000_000.0
DAY = 86_400.0


@pytest.fixture
def store() -> Iterator[Store]:
    """Eight items of two minutes each: four topics, two sources, the last two of one story."""
    with open_store(":memory:") as kept:
        sources = [kept.add_source(Source(address=f"https://{i}.example", title=f"Source {i}")) for i in range(2)]
        kept.add_items(
            [
                Item(
                    source=sources[i % 2].id, address=f"https://a.example/{i}", title=f"<{i}>", words=476, taken=NOW - DAY,
                    topic=("sea", "科学", "law", "art")[i % 4], depth=("brief", "long")[i % 2], story=7 if i > 5 else 0,
                )
                for i in range(8)
            ]
        )  # fmt: skip
        yield kept


def test_minutes_by_group_against_targets(store: Store) -> None:
    changed(store, ["targets.sea=0.5", "targets.law=0.25"])
    for item, kind, value, days in (
        (1, "worth", 1, 3),
        (2, "opened", 5, 0),
        (3, "finished", 0, 0),
        (7, "worth", 1, 0),
        (8, "worth", 1, 0),
    ):
        store.add_feedback(Feedback(item, kind, value, NOW - days * DAY))  # type: ignore[arg-type]
    store.add_feedback(Feedback(8, "opened", 3, NOW))
    found = label(store, "day", NOW)
    assert found.items == 4
    assert found.spent == pytest.approx(5 + 2 + 2 + 3)
    assert dict(found.by["topic"]) == pytest.approx({"科学": 5, "law": 4, "art": 3})
    assert list(found.by["topic"]) == ["科学", "law", "art"]
    assert dict(found.by["source"]) == pytest.approx({"Source 0": 4, "Source 1": 8})
    assert found.off == pytest.approx(0.5)  # nothing of the half for the sea; the quarter for law is more than met
    assert found.redundancy == pytest.approx(3 / 12)  # the story of item 8 was told by item 7
    assert found.novelty == pytest.approx((5 + 2 + 3) / 12)  # item 7: law and its source were known
    week = label(store, "week", NOW)
    assert (week.items, week.first) == (5, "2023-11-08")


def test_what_was_planned_is_the_newest_edition_of_each_day(store: Store) -> None:
    for day, items in (("2023-11-14", (1, 2)), ("2023-11-14", (3,)), ("2023-11-13", (4, 5))):
        store.add_edition(Made(day=day, minutes=30, at=NOW), [Shown(0, item, place, minutes=2.0) for place, item in enumerate(items)])
    assert (label(store, "day", NOW).planned, label(store, "week", NOW).planned) == (2.0, 6.0)


def test_an_empty_label_is_one(store: Store) -> None:
    found = label(store, "month", NOW)
    assert (found.spent, found.items, found.novelty, found.off) == (0, 0, 0, None)
    ElementTree.fromstring(svg(found))
    with pytest.raises(UsageError, match="year"):
        label(store, "year", NOW)


def test_pictures(store: Store, tmp_path: Path) -> None:
    for item in range(1, 9):
        store.add_feedback(Feedback(item, "worth", 1, NOW))
    found = label(store, "day", NOW)
    root = ElementTree.fromstring(save(found, tmp_path / "label.svg").read_text(encoding="utf-8"))
    assert "科学" in "".join(root.itertext())
    plain = replace(found, by={facet: {f"group {i}": v for i, v in enumerate(groups.values())} for facet, groups in found.by.items()})
    assert save(plain, tmp_path / "label.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    if len(fonts()) == 1:  # none with Chinese letters here: boxes in their place are no picture
        with pytest.raises(HeedfulError, match=r"svg would work"):
            save(found, tmp_path / "label.png")
    else:
        assert save(found, tmp_path / "label.png").stat().st_size > 1000
    assert max(len(groups) for _, groups in rows(found)) <= MOST + 1
    with pytest.raises(UsageError):
        save(found, tmp_path / "label.gif")
