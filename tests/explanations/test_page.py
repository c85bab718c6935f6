from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

from heedful.errors import HeedfulError
from heedful.explanations.markup import VOID
from heedful.explanations.page import MOST, Section, page, write
from heedful.explanations.parts.bars import Bar, bars
from heedful.explanations.parts.heads import Layer, heads
from heedful.explanations.parts.lines import Line, lines
from heedful.explanations.parts.prose import Figure, command, figures, paragraph, passage
from heedful.explanations.parts.table import table
from heedful.explanations.parts.text import text_pane
from heedful.explanations.parts.thumbnail import gallery, thumbnail

NASTY = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


class Balance(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def whole() -> str:
    tokens = [NASTY, "b", "c"]
    weights = torch.ones(3, 3) / 3
    parts = [
        paragraph(NASTY),
        figures([Figure(NASTY, NASTY)]),
        command(NASTY),
        passage(NASTY, NASTY),
        table([NASTY], [[NASTY]], NASTY),
        bars([Bar(NASTY, 1.0, NASTY)], NASTY, NASTY),
        lines([Line(NASTY, [(0, 1.0), (1, 2.0)])], NASTY, NASTY, NASTY),
        heads([Layer(NASTY, weights[None], [NASTY])], tokens, tokens),
        text_pane(tokens, weights[2:], 2, NASTY),
        gallery([thumbnail(weights, NASTY, NASTY)]),
        NASTY,
    ]
    return page(NASTY, NASTY, [Section(NASTY, NASTY, parts, "one"), Section("two", "", [], "two")], NASTY)


def test_text_of_others_never_becomes_markup(whole: str) -> None:
    reader = Balance()
    reader.feed(whole)
    reader.close()
    assert reader.open == []
    assert reader.seen.count("script") == 1
    assert "onerror" not in reader.seen


def test_nothing_is_fetched(whole: str) -> None:
    reader = Balance()
    reader.feed(whole)
    assert all(address.startswith(("data:image/png;base64,", "#")) for address in reader.addresses)
    assert not re.search(r"https?:|url\(|@import", whole)
    assert "default-src &#x27;none&#x27;" in whole


def test_what_can_be_worked_can_be_reached_by_keyboard(whole: str) -> None:
    for part in ('class="field"', 'class="wide"'):
        assert all("tabindex" in tag for tag in re.findall(rf"<div {part}[^>]*>", whole))
    assert "<button" in whole


def test_dark_and_narrow_are_provided_for(whole: str) -> None:
    assert "prefers-color-scheme: dark" in whole
    assert "max-width: 640px" in whole
    assert "width=device-width" in whole


def test_a_page_is_written_whole(tmp_path: Path, whole: str) -> None:
    target = tmp_path / "new" / "page.html"
    assert write(target, whole).read_text(encoding="utf-8") == whole
    assert [path.name for path in target.parent.iterdir()] == ["page.html"]


def test_a_page_too_large_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(HeedfulError, match="a shorter text would work"):
        write(tmp_path / "page.html", "x" * (MOST + 1))
    assert list(tmp_path.iterdir()) == []
