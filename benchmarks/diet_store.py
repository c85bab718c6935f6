"""The diet's store with many items: python benchmarks/diet_store.py [--items 20000] [--where PATH [--fill]]

Invented texts (words and characters by Zipf's law, a third of them Chinese), so that anyone can print the same table. What is found is
checked against reading every text before anything is timed. Times are of the processor (one core; the file is in memory by then), the least
of several. `--where` keeps the store, and a later call times it as it is; `--fill` only makes it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from heedful.diet.intake.channel import Channel, Entry
from heedful.diet.intake.retold import group
from heedful.diet.intake.take import Found, take
from heedful.diet.store.rows import Made, Shown, Source, Which
from heedful.diet.store.store import Store, open_store
from heedful.diet.store.words import query

NOW = 1_795_248_000.0
WORDS, CHARACTERS = 30_000, 3_000
ASKED = {
    "a rare word": "w20000",
    "a word of 1 item in 50": "w500",
    "the commonest word": "w0",
    "two common words": "w0 w1",
    "two words side by side": '"w3 w1"',
    "one left out": "w500 -w400",
    "two Chinese characters": chr(0x4E00 + 10) + chr(0x4E00 + 20),
    "the commonest Chinese character": chr(0x4E00),
    "four Chinese characters": "".join(chr(0x4E00 + i) for i in (0, 1, 0, 2)),
    "no item": "absent",
}


def texts(number: int) -> list[str]:
    """So many texts of about 450 words, every third of about 700 Chinese characters."""
    rng = np.random.default_rng(0)
    made = []
    for i in range(number):
        chinese = i % 3 == 2
        size, many = (rng.integers(300, 1100), CHARACTERS) if chinese else (rng.integers(100, 800), WORDS)
        ranks = np.exp(rng.random(int(size)) * np.log(many)).astype(int) - 1  # Zipf: as many of each e-fold of ranks
        made.append("".join(chr(0x4E00 + rank) for rank in ranks) if chinese else " ".join(f"w{rank}" for rank in ranks))
    return made


def filled(store: Store, written: list[str]) -> None:
    """The texts taken in from 100 sources, in 100 polls; seconds of the processor."""
    sources = [store.add_source(Source(address=f"https://{i}.example/feed", title=f"Source {i}")) for i in range(100)]
    spent = {"taking in": 0.0, "grouping": 0.0, "characters": sum(map(len, written))}
    for i, source in enumerate(sources):
        entries = tuple(Entry(link=f"/{j}", title=text[:40], text=text) for j, text in enumerate(written[i::100]))
        start = time.process_time()
        take(store, [Found(source, Channel(entries=entries))], NOW + i, grouped=False)
        spent["taking in"] += time.process_time() - start
    start = time.process_time()
    group(store, NOW + 100)
    spent["grouping"] = time.process_time() - start
    store.set_setting("spent", spent)


def checked(store: Store, written: list[str]) -> None:
    """What is found is what is there."""
    want = {
        "w500": {text for text in written if "w500" in text.split()},
        ASKED["two words side by side"]: {text for text in written if " w3 w1 " in f" {text} "},
        ASKED["two Chinese characters"]: {text for text in written if ASKED["two Chinese characters"] in text},
        ASKED["the commonest Chinese character"]: {text for text in written if chr(0x4E00) in text},
    }
    for asked, there in want.items():
        hits = [hit.item.id for hit in store.search(asked, limit=len(written))]
        found = {item.text for start in range(0, len(hits), 500) for item in store.items(Which(ids=hits[start : start + 500], whole=True))}
        assert found == there, f"{asked}: {len(found)} found, {len(there)} there"


def least(act: Callable[[], object], times: int = 5) -> float:
    """Milliseconds of the processor, the least of several."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        act()
        spent.append(time.process_time() - start)
    return min(spent) * 1000


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--items", type=int, default=20_000)
    asked.add_argument("--where", default="", help="a path or postgresql://...; a new file in a folder of its own, unless given")
    asked.add_argument("--fill", action="store_true", help="make the store and check it, and time nothing")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_store(given.where or Path(folder, "diet.sqlite")) as store:
        if store.counts()["item"] != given.items:
            written = texts(given.items)
            filled(store, written)
            checked(store, written)
        if given.fill:
            return
        spent = store.setting("spent")
        reasons = {item.id: "no minutes were left" for item in store.items()}
        store.add_edition(Made(day="2026-11-21", at=NOW + 200), [Shown(0, 1, 0)], reasons)
        size = f"; file {Path(store.where).stat().st_size / 1e6:.0f} MB" if "://" not in store.where else ""
        print(f"{given.items:,} items, {spent['characters'] / 1e6:.0f} million characters{size}")
        print(f"| {'':34} | ms | found |\n|---|---:|---:|")
        for name, words in ASKED.items():
            number = len(store.engine.matches(query(words), given.items, 0))
            print(f"| search: {name:26} | {least(lambda words=words: store.search(words)):.1f} | {number:,} |")
        print(f"| all items without their texts      | {least(store.items, 3):.1f} | {given.items:,} |")
        print(f"| unread ones                        | {least(lambda: store.items(Which(unread=True)), 3):.1f} | {given.items:,} |")
        print(f"| taking one item in                 | {spent['taking in'] / given.items * 1000:.2f} | |")
        print(f"| putting one to a story             | {spent['grouping'] / given.items * 1000:.2f} | |")


if __name__ == "__main__":
    main()
