"""What is kept is found again as it was, and what is asked wrongly is told."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from heedful.diet.store.carry import Erase
from heedful.diet.store.rows import Feedback, Item, Made, Note, Shown, Source, Which
from heedful.diet.store.store import Store, open_store
from heedful.errors import HeedfulError, UsageError


def item(source: Source, number: int, **given: object) -> Item:
    made = Item(
        source=source.id, address=f"https://a.example/{number}", title=f"Title {number}", text=f"Text number {number}.", taken=float(number)
    )
    return replace(made, **given)  # type: ignore[arg-type]


def filled(store: Store, number: int = 5) -> Source:
    source = store.add_source(Source(address="https://a.example/feed", title="A"))
    store.add_items([item(source, i) for i in range(1, number + 1)])
    return source


def test_sources_are_followed_changed_and_left_but_their_names_stay(store: Store) -> None:
    one = store.add_source(Source(address="https://a.example/feed", title="A", topic="art", viewpoint="left"))
    two = store.add_source(Source(address="/home/texts", kind="folder"))
    assert store.add_source(Source(address="https://a.example/feed", title="Another")) == one
    assert store.sources() == [one, two]
    changed = store.change_source(replace(two, paused=True, etag="x", due=7.5, failures=2))
    assert store.source(two.id) == changed
    assert store.sources(paused=True) == [changed]
    assert store.sources(paused=False) == [one]
    store.remove_source(one.id)
    assert store.sources() == [changed]
    assert store.source(one.id) == one
    store.add_source(Source(address=one.address))
    assert store.sources() == [one, changed]


def test_an_item_that_comes_again_is_the_same_or_an_update_of_its_own_source_only(store: Store) -> None:
    source = filled(store, 3)
    other = store.add_source(Source(address="https://b.example/feed"))
    change = store.add_items(
        [
            item(source, 1),
            item(source, 2, title="Corrected", taken=99.0),
            item(other, 3, text="As others tell it"),
            item(other, 4, taken=50.0),
        ]
    )
    assert (change.new, change.changed, change.same) == ((4,), (2,), (1, 3))
    assert (store.item(2).title, store.item(2).taken) == ("Corrected", 2.0)
    assert store.item(3).text == "Text number 3."
    assert [one.story for one in store.items()] == [one.id for one in store.items()]
    assert store.item(4).published == 50.0


def test_a_text_read_from_the_page_is_not_shortened_by_the_feed_again(store: Store) -> None:
    source = filled(store, 1)
    whole = store.fill_item(1, "The whole text about zeppelins", 5, 0, "brief")
    assert store.add_items([item(source, 1)]).same == (1,)
    assert store.add_items([item(source, 1, title="New title")]).changed == (1,)
    assert store.item(1) == replace(whole, title="New title")
    assert [hit.item.id for hit in store.search("zeppelins")] == [1]
    assert store.search("number") == []


def test_items_are_asked_for_by_time_source_number_and_what_is_unread(store: Store) -> None:
    source = filled(store)
    other = store.add_source(Source(address="https://b.example/feed"))
    store.add_items([item(other, 9, taken=2.5)])

    def ids(which: Which) -> list[int]:
        return [one.id for one in store.items(which)]

    assert ids(Which()) == [5, 4, 3, 6, 2, 1]
    assert ids(Which(since=2.0, until=4.0)) == [3, 6, 2]
    assert ids(Which(source=other.id)) == [6]
    assert ids(Which(ids=[2, 77, 5, 2])) == [2, 5]
    assert ids(Which(ids=range(1, 2000), source=source.id)) == [1, 2, 3, 4, 5]
    assert ids(Which(limit=2)) == [5, 4]
    store.add_feedback(Feedback(5, "later"))
    store.add_feedback(Feedback(4, "opened", 0.5))
    assert ids(Which(unread=True)) == [5, 3, 6, 2, 1]
    assert {one.text for one in store.items()} == {""}
    assert [one.text for one in store.items(Which(ids=[1], whole=True))] == ["Text number 1."]


def test_feedback_is_kept_in_order_and_can_be_taken_back(store: Store) -> None:
    filled(store)
    given = [Feedback(1, "opened", 2.0, 10.0), Feedback(2, "less", 1.0, 20.0, "topic art"), Feedback(1, "worth", 1.0, 30.0)]
    for one in reversed(given):
        store.add_feedback(one)
    assert store.feedback() == given
    assert store.feedback(item=1) == [given[0], given[2]]
    assert store.feedback(since=20.0) == given[1:]
    assert store.remove_feedback(1, "worth") == 1
    assert store.feedback() == given[:2]


def test_an_edition_is_kept_whole_and_the_rest_has_its_reason(store: Store) -> None:
    source = filled(store)
    made = store.add_edition(
        Made(day="2026-11-21", minutes=30.0, policy="thompson", diet={"minutes": 30}, at=5.0),
        [Shown(0, 2, 1, 0.5, 3.0, 0.7, "thompson", {"parts": {"topic": 0.2}}), Shown(0, 4, 0)],
        {1: "no minutes were left", 3: "worth less a minute than a minute is"},
    )
    store.add_items([item(source, 8, taken=6.0)])
    assert store.editions() == [made]
    assert store.edition("2026-11-21") == made
    assert store.edition("2026-11-20") is None
    assert [(one.item, one.edition, one.reason) for one in store.shown(made.id)] == [
        (4, made.id, {}),
        (2, made.id, {"parts": {"topic": 0.2}}),
    ]
    why = {hit.item.id: (hit.reason, hit.edition) for hit in store.search("text")}
    assert why[1] == ("no minutes were left", None)
    assert why[2] == ("", made.id)
    assert why[5] == ("not weighed for the edition of 2026-11-21", None)
    assert why[6] == ("came in after the edition of 2026-11-21 was made", None)
    again = store.add_edition(Made(day="2026-11-22", at=9.0), [Shown(0, 1, 0)], {4: "read before"})
    assert [one.id for one in store.editions(since="2026-11-21", limit=1)] == [again.id]
    assert store.passed(made.id) == {}
    why = {hit.item.id: (hit.reason, hit.edition) for hit in store.search("text")}
    assert (why[4], why[2]) == (("read before", made.id), ("in an earlier edition", made.id))


def test_an_edition_with_an_item_that_is_none_is_not_kept_at_all(store: Store) -> None:
    filled(store)
    with pytest.raises(HeedfulError, match=r"(?i)foreign key"):
        store.add_edition(Made(day="2026-11-21"), [Shown(0, 1, 0), Shown(0, 99, 1)])
    assert store.editions() == []
    assert store.counts()["shown"] == 0


def test_notes_are_searched_changed_and_removed(store: Store) -> None:
    filled(store)
    highlight = store.add_note(Note(item=2, kind="highlight", quote="Text number", at=1.0))
    note = store.add_note(Note(item=3, text="reminds me of Ménière", at=2.0))
    assert store.notes() == [highlight, note]
    assert store.notes(item=3) == [note]
    assert store.notes(since=2.0) == [note]
    hit = store.search("meniere")[0]
    assert hit.item.id == 3
    assert [hit.snippet[a:b] for a, b in hit.spans] == ["Ménière"]
    store.change_note(replace(note, text="of Tinnitus", item=1))
    assert store.notes(item=3)[0].text == "of Tinnitus"
    assert store.search("meniere") == []
    assert [one.item.id for one in store.search("tinnitus")] == [3]
    store.remove_note(note.id)
    assert store.search("tinnitus") == []
    assert [one.item.id for one in store.search("number")] == [2, 5, 4, 3, 1]  # the noted one first: more of its words are these


def test_settings_and_kept_bytes(store: Store) -> None:
    filled(store)
    assert store.setting("weights") is None
    assert store.setting("weights", 3) == 3
    store.set_setting("weights", {"worth": 1.0, "名": [1, None]})
    store.set_setting("weights", {"worth": 2.0, "名": [1, None]})
    assert store.settings() == {"weights": {"worth": 2.0, "名": [1, None]}}
    store.keep("vector", {1: b"\x00a", 4: b"b"})
    store.keep("vector", {4: b"c"})
    assert store.kept("vector") == {1: b"\x00a", 4: b"c"}
    assert store.kept("vector", since=2.0) == {4: b"c"}
    store.tell({4: 1}, "story", {4: b"s"})
    assert [one.id for one in store.story(1)] == [1, 4]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda s: s.item(9), "no item 9: one of 1 to 5 would work"),
        (lambda s: s.source(0), "no source 0: one of 1 to 1 would work"),
        (lambda s: s.remove_note(1), "no note 1: there is none at all yet"),
        (lambda s: s.add_feedback(Feedback(1, "wrth")), "did you mean 'worth'"),  # type: ignore[arg-type]
        (lambda s: s.add_feedback(Feedback(77, "worth")), "no item 77"),
        (lambda s: s.add_source(Source(address="x", kind="fed")), "did you mean 'feed'"),  # type: ignore[arg-type]
        (lambda s: s.add_source(Source()), "without an address"),
        (lambda s: s.add_items([Item(source=5, address="x")]), "a kept source and an address would work"),
        (lambda s: s.search("  -,"), "nothing to search for"),
        (lambda s: s.search("x", limit=0), "would work"),
        (lambda s: s.erase(Erase(source=8)), "no source 8"),
        (lambda s: Erase(), "erase one of"),
        (lambda s: Erase(everything=True, untouched=True), "erase one of"),
        (lambda s: open_store("mysql://x"), "no store"),
        (lambda s: s.set_setting("\ud800", 1), "nothing that can be kept"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(store: Store, wrong: object, said: str) -> None:
    filled(store)
    with pytest.raises(UsageError, match=said) as caught:
        wrong(store)  # type: ignore[operator]
    assert "\n" not in str(caught.value)


def test_erasing_what_is_old_leaves_the_rest_and_its_stories(store: Store) -> None:
    filled(store)
    store.tell({3: 2, 5: 2}, "story", {})
    store.add_feedback(Feedback(1, "worth", at=1.0))
    store.add_edition(Made(day="2026-11-20", at=1.0), [Shown(0, 2, 0)])
    assert store.erase(Erase(before=4.0, untouched=True))["item"] == 1  # the third
    assert [one.story for one in store.items(Which(ids=[5, 2]))] == [2, 2]
    gone = store.erase(Erase(before=4.0))
    assert (gone["item"], gone["edition"], gone["feedback"]) == (2, 1, 1)
    assert [(one.id, one.story) for one in store.items()] == [(5, 5), (4, 4)]
    assert [hit.item.id for hit in store.search("number")] == [5, 4]


def test_an_export_read_in_again_is_the_same_store(store: Store, tmp_path: Path) -> None:
    filled(store)
    store.remove_source(store.add_source(Source(address="https://gone.example/feed", title="Gone")).id)
    store.add_items([item(store.source(1), 6, text="我爱读书,也爱写字。", seconds=3.5, language="zh")])
    store.fill_item(2, "Whole\n\ntext", 2, 0, "brief")
    store.add_feedback(Feedback(1, "rated", 4.0, 1.5, "é"))
    store.add_edition(Made(day="2026-11-21", diet={"a": [1, 2]}), [Shown(0, 1, 0, reason={"b": None})], {2: "why"})
    store.add_note(Note(item=1, text="noted"))
    store.set_setting("x", {"y": 1})
    path = tmp_path / "out" / "diet.jsonl"
    counts = store.export(path)
    with open_store(tmp_path / "other.sqlite") as other:
        assert other.import_(path) == counts == store.counts() == other.counts()
        other.export(tmp_path / "again.jsonl")
        assert (tmp_path / "again.jsonl").read_bytes() == path.read_bytes()
        assert [hit.item.id for hit in other.search("读书")] == [6]
        assert [one.address for one in other.sources()] == ["https://a.example/feed"]
        assert other.add_items([item(store.source(1), 50)]).new == (7,)
        with pytest.raises(UsageError, match="not empty"):
            other.import_(path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"heedful diet store": 2}', "no export"),
        ("[]", "no export"),
        ('{"heedful diet store": 1}\n{"table": "items"}', "line 2: no row"),
        ('{"heedful diet store": 1}\n[1]', "line 2: no row"),
        (
            '{"heedful diet store": 1}\n{"table": "setting", "name": "a", "value": 1}\n{"table": "setting", "name": "a", "value": 1}',
            "line 3",
        ),
        ('{"heedful diet store": 1}\n{"table": "setting", "name": [1], "value": 1}', "line 2: setting without a right name"),
        ('{"heedful diet store": 1}\n{"tab', "JSON"),
        ("\udcff", "JSON"),
    ],
)
def test_a_damaged_export_changes_nothing(store: Store, tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(line.encode("utf-8", "surrogateescape"))
    with pytest.raises(Exception, match=said) as caught:
        store.import_(path)
    assert not isinstance(caught.value, sqlite3.Error)
    assert set(store.counts().values()) == {0}
