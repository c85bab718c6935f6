"""What sources say becomes items: one address a page, updates, facets, minutes, and stories that are told again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from heedful.diet.intake import reading
from heedful.diet.intake.channel import Channel, Entry
from heedful.diet.intake.minutes import WORDS, Pace
from heedful.diet.intake.retold import group
from heedful.diet.intake.take import Found, Taken, take
from heedful.diet.store.rows import Feedback, Source, Which
from heedful.diet.store.store import Store, open_store

NOW = 1_795_248_000.0
TOLD = "The council voted on Monday to close the old bridge over the river for repairs until the spring of next year, it said"
CHINESE = "国家公园今天宣布,经过三年的修复工作,位于山谷中的古老石桥将于下个月重新向游客开放。"


@pytest.fixture
def store() -> Iterator[Store]:
    with open_store(":memory:") as opened:
        yield opened


def source(store: Store, name: str = "a", **given: str) -> Source:
    return store.add_source(Source(address=f"https://{name}.example/feed", **given))  # type: ignore[arg-type]


def said(store: Store, one: Source, *entries: Entry, now: float = NOW) -> Taken:
    return take(store, [Found(one, Channel(entries=entries))], now)


def test_a_page_is_one_item_however_it_is_linked_to(store: Store) -> None:
    one = source(store)
    said(store, one, Entry(link="https://A.example/x/../1?utm_source=rss#top", title="T", text="a b c"))
    again = said(store, one, Entry(link="/1", title="T", text="a b c"), now=NOW + 60)
    assert (again.new, again.same) == ((), (1,))
    changed = said(store, one, Entry(link="/1", title="T, corrected", text="a b c d"), now=NOW + 90)
    assert changed.changed == (1,)
    item = store.item(1)
    assert (item.address, item.title, item.words, item.taken) == ("https://a.example/1", "T, corrected", 4, NOW)


def test_items_without_a_page_of_their_own_have_an_address_of_their_own(store: Store) -> None:
    one, two = source(store), source(store, "b")
    bare = [Entry(key="1", title="x"), Entry(key="2", title="x"), Entry(title="x"), Entry(link="javascript:alert(1)", key="3", title="x")]
    shared = [Entry(link="/status", key="s1", title="Up"), Entry(link="/status", key="s2", title="Down")]
    first = said(store, one, *bare, *shared)
    assert len(first.new) == 6
    addresses = [item.address for item in store.items()]
    assert sum(address.startswith("urn:heedful:") for address in addresses) == 4
    assert sum(address.startswith("https://a.example/status#") for address in addresses) == 2
    assert said(store, one, *bare, *shared).same == first.new
    assert len(said(store, two, *bare).new) == 4


def test_facets_come_from_source_categories_and_words(store: Store) -> None:
    given = source(store, topic="gardens", viewpoint="left")
    said(store, given, Entry(link="/1", title="Parliament votes", text="word " * 3000))
    free = source(store, "b")
    said(
        store,
        free,
        Entry(link="/2", title="x", tags=("Foo", "Tech & Science")),
        Entry(link="/3", title="议会选举", text="政府宣布选举结果。", language="zh"),
        Entry(link="/4", title="Film", seconds=1200.0, media="/4.mp4"),
        Entry(link="/5", summary="Only a summary of some words"),
    )
    items = {item.address.rsplit("/", 1)[1]: item for item in store.items(Which(whole=True))}
    assert (items["1"].topic, items["1"].viewpoint, items["1"].depth) == ("gardens", "left", "long")
    assert (items["2"].topic, items["2"].depth) == ("technology", "brief")
    assert (items["3"].topic, items["3"].characters, items["3"].words) == ("politics", 8, 0)
    assert (items["4"].depth, items["4"].seconds, items["4"].media) == ("long", 1200.0, "https://b.example/4.mp4")
    assert (items["5"].title, items["5"].text) == ("Only a summary of some words",) * 2


def test_dates_that_cannot_be_are_not_believed(store: Store) -> None:
    said(store, source(store), Entry(link="/1", published=NOW + 400 * 86400), Entry(link="/2"), Entry(link="/3", published=NOW - 5))
    assert [item.published - NOW for item in store.items(Which(ids=[1, 2, 3]))] == [0.0, 0.0, -5.0]
    assert said(store, source(store), Entry(link="/2"), now=NOW + 3600).same == (2,)


def test_a_story_told_again_is_grouped_and_not_hidden(store: Store) -> None:
    a, b, c = source(store), source(store, "b"), source(store, "c")
    first = said(
        store, a, Entry(link="/1", title="Bridge closes", text=TOLD), Entry(link="/2", title="Rain", text="Rain is expected in the north")
    )
    assert first.again == ()
    second = said(
        store, b, Entry(link="/1", title="Bridge to close", text=TOLD + " (Reuters)"), Entry(link="/2", text=CHINESE), now=NOW + 3600
    )
    assert second.again == (3,)
    third = said(
        store, c, Entry(link="/1", text=CHINESE[:-1] + ",记者报道。"), Entry(link="/2", title="Bridge to close", text=""), now=NOW + 7200
    )
    assert third.again == (5,)  # the title of the sixth is too short to be believed by itself
    assert {item.id: item.story for item in store.items()} == {1: 1, 2: 2, 3: 1, 4: 4, 5: 4, 6: 6}
    assert [item.id for item in store.story(1)] == [1, 3]
    assert len(store.items()) == 6


def test_a_title_of_another_source_is_the_same_story_and_one_of_the_same_source_is_not(store: Store) -> None:
    a, b = source(store), source(store, "b")
    title = "Weekly thread for everything"
    said(store, a, Entry(link="/1", title=title, text="this week"), Entry(link="/2", title=title, text="quite another one"))
    said(store, b, Entry(link="/3", title=title.upper()))
    assert {item.id: item.story for item in store.items()} == {1: 1, 2: 2, 3: 1}


def test_what_is_old_is_not_told_again_and_what_was_left_undone_is_done_later(store: Store) -> None:
    one = source(store)
    said(store, one, Entry(link="/1", text=TOLD))
    take(store, [Found(one, Channel(entries=(Entry(link="/2", text=TOLD),)))], NOW + 11 * 86400, grouped=False)
    assert store.kept("story").keys() == {1}
    assert group(store, NOW + 11 * 86400) == ()
    assert store.kept("story").keys() == {1, 2}
    assert store.item(2).story == 2
    assert group(store, NOW + 11 * 86400) == ()


def test_stories_found_little_by_little_are_those_found_at_once() -> None:
    texts = [f"{TOLD} {'and so on ' * (i % 3)}" if i % 4 else f"{CHINESE}{i}" for i in range(24)] + [f"unlike {i} " * 9 for i in range(6)]

    def grouped(size: int) -> dict[int, int]:
        with open_store(":memory:") as store:
            one = source(store)
            for start in range(0, len(texts), size):
                entries = [
                    Entry(link=f"/{start + i}", title=str(start + i), text=text) for i, text in enumerate(texts[start : start + size])
                ]
                said(store, one, *entries, now=NOW + start)
            return {item.id: item.story for item in store.items()}

    assert grouped(1) == grouped(7) == grouped(100)


def test_minutes_follow_the_readers_pace(store: Store) -> None:
    one = source(store)
    said(
        store,
        one,
        *(Entry(link=f"/{i}", title=str(i), text="word " * int(WORDS)) for i in range(8)),
        Entry(link="/f", title="F", seconds=120.0),
    )
    assert reading.learnt(store) == Pace()
    for item in range(1, 9):
        store.add_feedback(Feedback(item, "finished", 2.0))
    store.add_feedback(Feedback(9, "finished", 8.0))
    store.add_feedback(Feedback(1, "opened", 0.01))
    pace = reading.learnt(store)
    assert 1.2 < pace.factor < 2.0
    assert reading.minutes(store.item(1), pace) == pytest.approx(pace.factor, rel=1e-9)
    assert reading.minutes(store.item(9), pace) == 2.0
