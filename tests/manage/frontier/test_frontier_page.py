from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from heedful.explanations.markup import VOID
from heedful.explanations.page import MOST
from heedful.manage.frontier.page import write_page
from heedful.manage.frontier.picture import write_picture
from manage.frontier.browser import needs_chromium, run
from manage.frontier.made import BUDGETS, OPTIONS, POLICIES, frontier

NASTY = "</script><script>alert(1)</script>"


class Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert not any(name.startswith("on") or name in ("src", "srcset") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def script_of(name: str) -> str:
    return (Path(__file__).parent / f"{name}.js").read_text()


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return write_page(frontier(), tmp_path / "frontier.html", "heedful frontier RUN")


def test_nothing_is_fetched_and_everything_is_closed(page: Path) -> None:
    whole = page.read_text()
    assert not re.search(r"https?://|url\(|@import", whole)
    reader = Balance()
    reader.feed(whole)
    assert reader.open == []


def test_every_number_is_in_the_table(page: Path) -> None:
    whole = page.read_text()
    table = whole[whole.index("<tbody>") :]
    assert table.count("<tr>") == 1 + len(POLICIES) * len(BUDGETS)
    for point in frontier().points:
        assert f"{point.loss:+.4f}" in table
    assert ">none<" in table  # a bound that is infinite


def test_a_models_name_never_becomes_markup(tmp_path: Path) -> None:
    whole = write_page(frontier(name=NASTY), tmp_path / "a.html").read_text()
    assert NASTY not in whole
    assert whole.count("<script") == 3


def test_a_large_model_fits_a_page(tmp_path: Path) -> None:
    path = write_page(frontier(32, 32), tmp_path / "large.html")
    assert path.stat().st_size < MOST


def test_the_data_can_be_read_again(page: Path, tmp_path: Path) -> None:
    found = re.search(r'<script type="application/json">(.*?)</script>', page.read_text(), flags=re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert len(data["points"]) == len(POLICIES) * len(BUDGETS)
    assert len(data["losses"]) == sum(site["heads"] for site in data["sites"])
    saved = json.loads(frontier().save(tmp_path / "frontier.json").read_text())
    assert saved["version"] == 1
    assert saved["points"][0]["policy"] == "planned"


def test_a_png_is_drawn(tmp_path: Path) -> None:
    for measured in (True, False):
        path = write_picture(frontier(measured=measured), tmp_path / f"{measured}.png")
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size < 400_000


@needs_chromium
def test_the_dial_chooses_the_plan_and_the_grid_is_read_out(page: Path, tmp_path: Path) -> None:
    script = script_of("dial")
    found = json.loads(run(page, script, tmp_path))
    points = frontier().points
    first, last = points[0], points[len(BUDGETS) - 1]
    assert found["told"][0].startswith("80 %")
    assert found["told"][1].startswith("25 %")
    assert found["told"][0] != found["told"][1]
    assert found["kept"] == [OPTIONS[choice] for choice in last.choices]
    assert first.choices != last.choices
    assert found["head"].startswith("Layer 2, head 2: ")
    assert found["marks"] == len(points)
    assert found["inside"]
    assert found["pressed"] == 1
    assert not found["low"]
    assert "random at" not in found["other"]  # words that say what is chosen, not a mark's


@needs_chromium
@pytest.mark.parametrize("size", [(1, 1), (32, 32)])
def test_small_and_large_models_fit_a_phone(size: tuple[int, int], tmp_path: Path) -> None:
    """In a frame of 400 pixels nothing reaches beyond it, and no text is smaller than 12 pixels."""
    page = write_page(frontier(*size, measured=False), tmp_path / "inner.html")
    script = script_of("narrow")
    assert json.loads(run(page, script, tmp_path, 400)) == [400, True, [], []]
