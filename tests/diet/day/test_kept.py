"""The day over a store: made once, with its reasons; what is said of items comes back as what they were worth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from heedful.diet.day.asking import why
from heedful.diet.day.gathered import Known, gathered, only, pasts, worded
from heedful.diet.day.log import decisions, placed, policies
from heedful.diet.day.noting import add_highlight, add_note, spans
from heedful.diet.day.saying import read, say
from heedful.diet.day.setting import changed
from heedful.diet.day.today import make, morning, today, wishes_of
from heedful.diet.day.wishes import Wishes
from heedful.diet.intake.minutes import Pace
from heedful.diet.replay import replay
from heedful.diet.reward import Reward
from heedful.diet.store.rows import Feedback, Head, Item, Source
from heedful.diet.store.store import Store, open_store
from heedful.errors import UsageError

NOW = 1_700_000_000.0
HOUR = 3600.0


@pytest.fixture
def store() -> Iterator[Store]:
    """Three sources, thirty items."""
    with open_store(":memory:") as kept:
        sources = [kept.add_source(Source(address=f"https://s{i}.example/feed", title=f"Source {i}")) for i in range(3)]
        items = [
            Item(
                source=sources[i % 3].id,
                address=f"https://s{i % 3}.example/{i}",
                title=f"On rivers, part {i}" if i % 2 else f"On matches, part {i}",
                summary="A long river runs to the sea" if i % 2 else "两个人读书",
                text="First words.\n\nA long\nriver runs to the sea. " * 20,
                words=200 + 40 * i,
                published=NOW - i * HOUR,
                taken=NOW - HOUR,
                topic="nature" if i % 2 else "sport",
            )
            for i in range(30)
        ]
        kept.add_items(items)
        yield kept


def made(store: Store, now: float = NOW, **given: float) -> None:
    make(store, morning(store, now, **given))  # type: ignore[arg-type]


def test_an_edition_is_kept_as_it_was_decided(store: Store) -> None:
    assert today(store, NOW) is None
    made(store)
    found = today(store, NOW)
    assert found is not None
    assert 0 < found.minutes <= 30
    assert len(found.entries) + found.left == 30
    for place, entry in enumerate(found.entries):
        assert entry.shown.place == place
        assert 0 < entry.shown.propensity <= 1
        assert entry.shown.score == pytest.approx(sum(part["value"] for part in entry.shown.reason["parts"]), abs=1e-9)
    assert found.record()["items"][0]["reason"]["because"]
    say(store, found.entries[0].item.id, "worth", NOW + 1)
    again = today(store, NOW)
    assert again is not None
    assert [entry.item for entry in again.entries] == [entry.item for entry in found.entries]
    assert [entry.done for entry in again.entries] == [True, *[False] * (len(found.entries) - 1)]


def test_every_item_has_its_reason(store: Store) -> None:
    assert "no edition yet" in why(store, 1, NOW)["verdict"]
    made(store, minutes=6.0)
    found = today(store, NOW)
    assert found is not None
    inside = {entry.item.id for entry in found.entries}
    for item in range(1, 31, 3):
        told = why(store, item, NOW)
        assert told["inside"] == (item in inside)
        assert told["verdict"].startswith("in the edition" if item in inside else "not in the edition")
    out = [why(store, item, NOW) for item in range(2, 31, 4) if item not in inside]
    assert any("it would be in" in line for told in out for line in told["otherwise"])
    with pytest.raises(UsageError, match="no item 99"):
        why(store, 99, NOW)


def test_what_is_done_comes_no_more_and_what_is_put_off_comes_again(store: Store) -> None:
    say(store, 1, "worth", NOW)
    say(store, 2, "later", NOW)
    open_ = {item.id for item in gathered(store, Wishes(), NOW + 1).items}
    assert 1 not in open_
    assert 2 in open_
    later = {item.id for item in gathered(store, Wishes(), NOW + 30 * 24 * HOUR).items}
    assert later == {2}


def test_what_was_shown_twice_and_not_opened_gives_way(store: Store) -> None:
    for day in range(2):
        made(store, NOW + day * 24 * HOUR, minutes=4.0)
    shown = [{one.item for one in store.shown(edition.id)} for edition in store.editions()]
    twice = shown[0] & shown[1]
    assert twice
    open_ = {item.id for item in gathered(store, Wishes(), NOW + 2 * 24 * HOUR).items}
    assert not twice & open_
    assert (shown[0] ^ shown[1]) <= open_


def test_what_items_were_worth(store: Store) -> None:
    pieces = {item.id: worded(Known({}, Pace(), {}, {}).piece(Head.of(item)), item) for item in store.items()}

    def worth(*said: Feedback) -> list[float]:
        return [past.reward for past in pasts(said, pieces, Reward())]

    assert worth(Feedback(1, "worth", 1, NOW)) == [1.0]
    assert worth(Feedback(1, "finished", 3, NOW)) == [pytest.approx(0.1)]
    assert worth(Feedback(1, "worth", 1, NOW), Feedback(1, "not_worth", 1, NOW + 1)) == [-1.0]
    assert worth(Feedback(1, "rated", 3, NOW)) == [0.0]
    assert worth(Feedback(1, "rated", 1, NOW)) == [-1.0]
    assert worth(Feedback(1, "later", 1, NOW)) == []
    more = pasts([Feedback(1, "less", 1, NOW, "topic sport")], pieces, Reward())
    assert (more[0].piece.topic, more[0].whole, more[0].reward) == ("sport", False, -1.0)
    assert more[0].piece == only(pieces[1], "topic sport")
    late = pasts([Feedback(1, "finished", 3, NOW), Feedback(1, "rated", 5, NOW + 24 * HOUR)], pieces, Reward(finished=0, delayed=0.5))
    assert late[0].reward == pytest.approx(0.5)


def test_less_of_a_topic_is_less_of_it(store: Store) -> None:
    def nature() -> float:
        found = morning(store, NOW + HOUR)
        return float(sum(v for v, one in zip(found.parts[1].sum(1), found.close, strict=True) if one.topic == "nature"))

    before = nature()
    say(store, 2, "less", NOW, "topic")
    assert nature() < before


def test_words_that_are_none_are_refused(store: Store) -> None:
    for word, because in (("good", ""), ("7", ""), ("worth", "topic"), ("less", "colour red"), ("less", "words")):
        with pytest.raises(UsageError):
            say(store, 1, word, NOW, because)
    with pytest.raises(UsageError):
        read(store, 1, NOW, -1)
    assert store.feedback() == []


def test_reading_again_on_a_later_day_is_told_apart(store: Store) -> None:
    assert read(store, 1, NOW, 2.0).kind == "finished"
    assert read(store, 1, NOW + HOUR).kind == "finished"
    assert read(store, 1, NOW + 24 * HOUR).kind == "revisited"
    assert read(store, 2, NOW, 0, finished=False).kind == "opened"


def test_the_pace_is_learnt_from_what_reading_took(store: Store) -> None:
    before = {one.key: one.minutes for one in gathered(store, Wishes(), NOW).pieces}
    for item in (1, 2, 3, 4):
        read(store, item, NOW, 2 * (200 + 40 * (item - 1)) / 238)
    after = {one.key: one.minutes for one in gathered(store, Wishes(), NOW + 1).pieces}
    assert all(after[key] == pytest.approx(before[key] * 2 ** (4 / 9)) for key in after)


def test_highlights_stand_where_their_words_stand(store: Store) -> None:
    note = add_highlight(store, 2, "long river runs", "why?", NOW)
    assert note.quote == "long\nriver runs"
    pieces = spans(store.item(2).text, store.notes(2))
    assert [one.text for one in pieces if one.note] == [note.quote]
    assert "".join(one.text for one in pieces) == store.item(2).text
    assert add_note(store, 2, " 关于河流 ", NOW).text == "关于河流"
    assert [hit.item.id for hit in store.search("河流")] == [2]
    with pytest.raises(UsageError):
        add_highlight(store, 2, "not there", "", NOW)
    with pytest.raises(UsageError):
        add_note(store, 2, "  ", NOW)


def test_the_log_holds_each_edition_as_it_was_decided(store: Store) -> None:
    for day in range(3):
        made(store, NOW + day * 24 * HOUR, minutes=6.0)
        for place, one in enumerate(store.shown(store.editions()[0].id)):
            say(store, one.item, "worth" if place % 2 else "not-worth", NOW + day * 24 * HOUR + 60)
    log = decisions(store)
    assert [int(one.shown.sum()) for one in log] == [len(store.shown(made_.id)) for made_ in store.editions()[::-1]]
    for one in log:
        assert (one.propensity[one.shown] > 0).all()
        minutes = np.array([candidate.minutes for candidate in one.candidates])
        np.testing.assert_allclose(np.abs(one.rewards[one.shown]), minutes[one.shown])  # a weight of 1 a minute, for or against
        assert (one.rewards[~one.shown] == 0).all()
    report = replay(log, policies(), times=5)
    assert report.rows[0].policy == "as it was"
    assert all(row.estimate is not None or row.refused for row in report.rows)
    assert {row.estimator for row in report.rows[1:]} == {"snipw", "dr", "iips", "rips", "cascade-dr"}


def test_the_log_has_the_chance_of_every_place(store: Store) -> None:
    minutes = make(store, morning(store, NOW, 12.0))
    (one,) = decisions(store)
    assert one.places is not None
    assert [one.candidates[i].key for i in one.places.order] == [str(shown.item) for shown in store.shown(minutes.id)]
    assert len(one.places.by_item) == len(one.places.cascade) == int(one.shown.sum()) + 1
    assert (np.diff(one.places.cascade) <= 0).all()
    assert (one.places.by_item >= one.places.cascade).all()
    # an item is somewhere in the edition at least as often as at its place
    assert (one.propensity[one.places.order] >= one.places.by_item[:-1] - 1e-12).all()
    old = replace(minutes, diet={name: value for name, value in minutes.diet.items() if name != "places"})
    assert placed(list(one.places.order), len(one.places.order), old) is None
    assert placed(list(one.places.order)[1:], len(one.places.order), minutes) is None


def test_settings_by_name(store: Store) -> None:
    found = changed(store, ["minutes=12", "targets.nature=0.5", "reward.opened=0.2"])
    assert found == replace(Wishes(), minutes=12, targets={"nature": 0.5}, reward=Reward(opened=0.2))
    assert wishes_of(store) == found
    assert changed(store, ["targets.nature=0"]).targets == {}
    for wrong in ("minutes", "minutes=soon", "minutes=0", "colour=1", "reward.colour=1", "targets=1"):
        with pytest.raises(UsageError):
            changed(store, [wrong])
    assert wishes_of(store).minutes == 12
