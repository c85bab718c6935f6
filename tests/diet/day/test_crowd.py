"""What is read of thousands says the same as what is read of one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from heedful.diet.day.crowd import Crowd, Pieces
from heedful.diet.day.day import Morning
from heedful.diet.day.features import Asked, features
from heedful.diet.day.gathered import filled, gathered
from heedful.diet.day.piece import DAY
from heedful.diet.day.reasons import reasons
from heedful.diet.day.rest import passed
from heedful.diet.day.shortlist import rough
from heedful.diet.day.simple import first_weights
from heedful.diet.day.wishes import Wishes
from heedful.diet.store.rows import Feedback, Head, Item, Source, Which
from heedful.diet.store.store import Store, open_store

NOW = 1_700_000_000.0
TOPICS = ("world", "science", "", "arts")


def stocked(path: Path, count: int = 400) -> Store:
    """A store of so many items from thirty sources, with forty reads."""
    store, rng = open_store(path), np.random.default_rng(3)
    ids = [store.add_source(Source(address=f"https://s{i}.example/feed", title=f"Source {i}")).id for i in range(30)]
    made = [
        Item(
            source=ids[min(int(rng.zipf(1.5)), 30) - 1],
            address=f"https://i.example/{i}",
            title=f"river{rng.integers(50)} court{rng.integers(50)}",
            text=" ".join(f"word{k}" for k in rng.zipf(1.4, 40) % 300),
            summary="" if i % 3 else f"on river{rng.integers(50)}",
            published=0.0 if i % 7 == 0 else NOW - DAY * float(rng.uniform(0, 13)),
            taken=NOW - DAY * float(rng.uniform(0, 13)),
            words=int(rng.integers(50, 2000)),
            topic=TOPICS[i % 4],
            viewpoint=("", "left", "right")[i % 3],
            depth=("brief", "article", "long")[i % 3],
        )
        for i in range(count)
    ]
    store.add_items(made)
    store.tell({i: 1 + i % 20 for i in range(1, min(count, 120))}, "told", {})
    for i in range(40):
        store.add_feedback(Feedback(1 + 7 * i % count, "worth" if i % 2 else "not_worth", 1.0, NOW - DAY * (5 - i / 10)))
    return store


def test_heads_are_the_items_without_their_words(tmp_path: Path) -> None:
    with stocked(tmp_path / "a.sqlite", 60) as store:
        for which in (Which(), Which(since=NOW - 5 * DAY, until=NOW), Which(ids=[9, 2, 77]), Which(unread=True, limit=5), Which(source=1)):
            assert store.heads(which) == [Head.of(item) for item in store.items(which)]


def test_pieces_are_made_when_they_are_asked_for(tmp_path: Path) -> None:
    with stocked(tmp_path / "a.sqlite", 60) as store:
        found = gathered(store, Wishes(), NOW)
        every = list(found.pieces)
        assert [one.key for one in every] == list(found.pieces.crowd.keys) == [str(head.id) for head in found.items]
        assert (found.pieces[-1], found.pieces[2:5]) == (every[-1], every[2:5])
        columns, again = found.pieces.crowd, Crowd.of(every)
        assert columns.kinds == again.kinds
        for name in ("published", "told", "rate"):
            assert vars(columns)[name].tolist() == vars(again)[name].tolist()
        made = []
        waiting = Pieces(columns, lambda i: (made.append(i), every[i])[1])
        assert len(waiting) == len(every)
        assert not made
        assert waiting[3] == every[3]
        assert made == [3]


def test_the_first_look_is_the_features_without_words(tmp_path: Path) -> None:
    with stocked(tmp_path / "a.sqlite") as store:
        found = gathered(store, Wishes(), NOW)
        asked = Asked(list(found.pieces), np.full(len(found.pieces), NOW), found.pasts, np.zeros((len(found.pieces), len(found.pasts))))
        x = features(asked)
        x[:, 9] = rough_length(found.pieces.crowd)
        expected = x @ first_weights(Wishes())
        assert np.abs(rough(found.pieces.crowd, found.pasts, Wishes(), NOW) - expected).max() < 1e-12


def rough_length(crowd: Crowd) -> np.ndarray:
    """The last feature, from the depth alone."""
    return np.array([1 - abs({"brief": 0.0, "article": 0.5, "long": 1.0}[kind.depth] - 0.5) for kind in crowd.kinds])


def test_an_edition_of_pieces_that_wait_is_that_of_pieces_that_are_there(tmp_path: Path) -> None:
    with stocked(tmp_path / "a.sqlite") as store:
        wishes = replace(Wishes(), minutes=25.0)
        found = gathered(store, wishes, NOW)
        waiting = Morning(found.pieces, found.pasts, wishes, 25.0, NOW, 4, fill=partial(filled, store))
        there = Morning(filled(store, found.pieces), found.pasts, wishes, 25.0, NOW, 4)
        assert len(waiting.pieces) > len(waiting.close) == 160
        assert waiting.edition == there.edition
        assert waiting.chances == there.chances
        assert {key: why.record() for key, why in reasons(waiting).items()} == {key: why.record() for key, why in reasons(there).items()}
        assert passed(waiting) == passed(there)
        assert len(passed(waiting)) + len(waiting.edition.keys) == len(waiting.pieces)
