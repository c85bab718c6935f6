"""What goes out can be read by others: feeds by the feed parser, Markdown as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful.diet.export.digest import digest, notes_of
from heedful.diet.export.feeds import json_feed, rss
from heedful.diet.export.listing import Entry, Listing, listing
from heedful.diet.export.shared import shared
from heedful.diet.intake.feeds import parse
from heedful.diet.store.rows import Feedback, Item, Note, Source
from heedful.diet.store.store import Store, open_store
from heedful.errors import UsageError

NOW = 1_700_000_000.0
ITEM = Item(
    address="https://a.example/1?a=1&b=2",
    title="Rivers & <b>seas</b>",
    summary="河流很长",
    published=NOW - 60,
    topic="nature",
    language="en",
)


@pytest.fixture
def store() -> Iterator[Store]:
    """One item, worth it, with a highlight."""
    with open_store(":memory:") as kept:
        source = kept.add_source(Source(address="https://a.example/feed", title="A"))
        kept.add_items([replace(ITEM, source=source.id, taken=NOW - 60, words=238)])
        kept.add_feedback(Feedback(1, "worth", 1, NOW))
        kept.add_note(Note(item=1, kind="highlight", quote="河流\n很长", text="how *long*?", at=NOW))
        yield kept


@settings(max_examples=40, deadline=None)
@given(title=st.text(max_size=60), summary=st.text(max_size=200), note=st.text(max_size=40))
def test_any_text_goes_into_a_feed_and_comes_out(title: str, summary: str, note: str) -> None:
    found = Listing("A list", [Entry(replace(ITEM, title=title, summary=summary), note)], NOW)
    for written in (rss(found), json_feed(found)):
        entries = parse(written.encode("utf-8", "replace")).entries
        assert len(entries) == 1
        assert entries[0].link == ITEM.address


def test_feeds_say_what_there_is() -> None:
    found = Listing("A list", [Entry(ITEM, "5 min. New.")], NOW)
    one = parse(rss(found).encode()).entries[0]
    assert (one.link, one.published, one.tags) == (ITEM.address, ITEM.published, ("nature",))
    assert "河流很长" in one.summary
    whole = json.loads(json_feed(found))
    assert whole["version"] == "https://jsonfeed.org/version/1.1"
    assert whole["items"][0]["title"] == ITEM.title
    local = json.loads(json_feed(Listing("x", [Entry(replace(ITEM, address="urn:heedful:1"))], NOW)))["items"][0]
    assert (local["id"], "url" in local) == ("urn:heedful:1", False)


def test_the_week_in_markdown(store: Store) -> None:
    written = digest(store, NOW + 60)
    assert written.startswith("# 2023-11-08 to 2023-11-14\n")
    assert "- [Rivers & \\<b\\>seas\\</b\\>](<https://a.example/1?a=1&b=2>) (nature)" in written
    assert "> 河流\n> 很长" in written
    assert "how *long*?" in written  # the reader's own words may be Markdown
    assert "| nature | 1 |" in written
    assert "> 河流" in notes_of(store, store.item(1))
    assert "Nothing was called worth it." in digest(store, NOW + 90 * 86_400)
    with pytest.raises(UsageError):
        digest(store, NOW, 0)


def test_lists(store: Store) -> None:
    assert [entry.item.id for entry in listing(store, "worth", NOW).entries] == [1]
    assert listing(store, "saved", NOW).entries == []
    assert "xmlUrl" in shared(store, "sources", "rss", NOW)
    for kind, form in (("edition", "rss"), ("all", "rss"), ("worth", "pdf")):
        with pytest.raises(UsageError):
            shared(store, kind, form, NOW)
