"""The reader at 20,000 items: an edition within a second, a search within 50 ms; each checked before it is timed.

    python benchmarks/diet_reader.py [--items 20000] [--reads 300] [--store FILE]

The items are made up (sources by Zipf's law, words of eight topics, a fifth in Chinese); times are the least of several.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from heedful.diet.day.piece import DAY
from heedful.diet.day.today import make, morning
from heedful.diet.store.rows import Feedback, Item, Source
from heedful.diet.store.store import Store, open_store

TOPICS = ("world", "science", "technology", "culture", "sport", "economy", "health", "local")
HAN = np.array(list("天地人山水火木金土日月星风雨河海书读写画城桥路车船马牛羊鸟鱼花草春夏秋冬"))
WORDS = np.array([f"{('river', 'court', 'word')[i % 3]}{i}" for i in range(5000)])
QUERIES = ("river12", "river12 court7", '"word30 word31"', "读书", "山水", "word5 -word6")


def filled(store: Store, count: int, reads: int, now: float) -> None:
    """A store with so many items of two weeks, and so many reads of the weeks before."""
    rng = np.random.default_rng(0)
    sources = [store.add_source(Source(address=f"https://s{i}.example/feed", title=f"Source {i}", topic=TOPICS[i % 8])) for i in range(100)]
    whose = np.minimum(rng.zipf(1.5, count + reads), 100) - 1
    made = [
        item(rng, i, sources[int(whose[i])], now - DAY * (float(rng.uniform(0, 13)) if i < count else 20)) for i in range(count + reads)
    ]
    for start in range(0, len(made), 2000):
        store.add_items(made[start : start + 2000])
    for i in range(reads):
        liked = made[count + i].topic in ("science", "culture")
        store.add_feedback(
            Feedback(count + i + 1, "worth" if liked != (rng.random() < 0.1) else "not_worth", 1.0, now - DAY * (15 - i / reads))
        )


def item(rng: np.random.Generator, i: int, source: Source, at: float) -> Item:
    """One item of some 300 words or characters."""
    if i % 5 == 0:
        text = "".join(HAN[rng.integers(0, len(HAN), 300)]) + "读书" * int(rng.random() < 0.02)
        size = {"characters": 300, "language": "zh"}
    else:
        text = " ".join(WORDS[rng.zipf(1.3, 300) % 5000])
        size = {"words": int(rng.integers(80, 2500)), "language": "en"}
    title, depth = text[:40].rsplit(" ", 1)[0], ("brief", "article", "long")[i % 3]
    return Item(
        source=source.id, address=f"https://i.example/{i}", title=title, text=text, summary=text[:300], published=at, taken=at,
        topic=source.topic, viewpoint=("left", "centre", "right")[source.id % 3], depth=depth, story=0, **size,  # type: ignore[arg-type]
    )  # fmt: skip


def least(does: Callable[[], object], times: int) -> float:
    """Milliseconds of the quickest of several."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        does()
        found.append(1000 * (time.perf_counter() - start))
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--reads", type=int, default=300)
    parser.add_argument("--store", type=Path, help="a file to fill, or one that an earlier run filled; else a temporary one")
    asked = parser.parse_args()
    now = time.time()
    with tempfile.TemporaryDirectory() as folder, open_store(asked.store or Path(folder, "diet.sqlite")) as store:
        if not store.counts()["item"]:
            filled(store, asked.items, asked.reads, now)
        found = morning(store, now)
        made = make(store, found)
        shown = store.shown(made.id)
        assert sum(one.minutes for one in shown) <= 30 + 1e-6
        assert len(shown) + len(store.passed(made.id)) == len(found.pieces)
        for one in shown:
            assert abs(one.score - sum(part["value"] for part in one.reason["parts"])) < 1e-9
        spent = sum(one.minutes for one in shown)
        print(f"{len(found.pieces):,} items weighed, {asked.reads} reads, {len(shown)} items in {spent:.1f} minutes")
        print(f"edition, from the store and back into it   {least(lambda: make(store, morning(store, now)), 3):8.0f} ms   (1,000 at most)")
        for query in QUERIES:
            hits = store.search(query)
            print(f"search {query:<36} {least(lambda q=query: store.search(q), 5):8.1f} ms   {len(hits)} shown   (50 at most)")  # type: ignore[misc]


if __name__ == "__main__":
    main()
