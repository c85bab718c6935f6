"""New items put to the stories that recent ones tell; grouped, never hidden, and a story once given stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from jaxtyping import UInt32, UInt64

from heedful.diet.intake.stories import ALIKE, BANDS, HASHES, alike, shingles, signature
from heedful.diet.store.rows import Item, Which
from heedful.diet.store.store import Store

RECENT: Final = 10 * 86400.0  # seconds within which a story is told again
NAME: Final = "story"  # of the signatures in the store
TOLD: Final = 1200  # letters of a text that are compared: the rest is cut off by some sources
TITLE: Final = 20  # letters, or bytes of other scripts, from which a title of another source is the same story by itself
BATCH: Final = 500
LIKELY: Final = ALIKE - 3 * (ALIKE * (1 - ALIKE) / HASHES) ** 0.5  # three standard errors below what counts: the texts need not be read
MIX: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)  # odd: four hashes as one number


def group(store: Store, now: float, recent: float = RECENT) -> tuple[int, ...]:
    """Give the items that were not looked at yet their stories; those that tell an older one again, by their ids.

    What a run that was killed left is done by the next.
    """
    since = now - recent
    kept = store.kept(NAME, since)
    heads = {item.id: item for item in store.items(Which(since=since))}
    fresh = sorted(id for id in heads if id not in kept)
    if not fresh:
        return ()
    known = Known(heads, kept)
    again: list[int] = []
    for start in range(0, len(fresh), BATCH):
        told: dict[int, int] = {}
        rows: dict[int, bytes] = {}
        for item in sorted(store.items(Which(ids=fresh[start : start + BATCH], whole=True)), key=lambda item: item.id):
            grams = shingles(words(item))
            row = np.ascontiguousarray(signature(grams).astype(np.uint32))
            first = known.story(store, item, grams, row)
            rows[item.id] = row.tobytes()
            known.add(item, row, told.setdefault(item.id, item.story if first is None else first))
        moved = {item: story for item, story in told.items() if story != heads[item].story}
        store.tell(moved, NAME, rows)
        again.extend(moved)
    return tuple(again)


def words(item: Item) -> str:
    """What is compared of an item."""
    return f"{item.title}\n{(item.text or item.summary)[:TOLD]}"


def bands(rows: UInt32[np.ndarray, "n h"]) -> UInt64[np.ndarray, "b n"]:
    """(16, n) the bands of signatures, a number each; two that are equal by chance are told apart by their texts."""
    parts = rows.reshape(len(rows), BANDS, HASHES // BANDS).astype(np.uint64)
    mixed: UInt64[np.ndarray, "b n"] = (parts * np.array(MIX, np.uint64)).sum(2).T
    return mixed


class Known:
    """Recent items by the bands of their signatures, and by their titles."""

    def __init__(self, heads: Mapping[int, Item], kept: Mapping[int, bytes]) -> None:
        self.ids = [id for id in sorted(kept) if id in heads]
        self.stories = {id: heads[id].story for id in self.ids}
        self.bands = np.zeros((BANDS, len(heads)), np.uint64)
        self.rows = np.zeros((len(heads), HASHES), np.uint32)
        rows = np.frombuffer(b"".join(kept[id] for id in self.ids), np.uint32).reshape(-1, HASHES)
        self.rows[: len(rows)], self.bands[:, : len(rows)] = rows, bands(rows)
        self.titles: dict[str, tuple[int, int]] = {}
        for id in self.ids:
            self.title(heads[id], self.stories[id])

    def add(self, item: Item, row: UInt32[np.ndarray, " h"], story: int) -> None:
        """One more."""
        self.rows[len(self.ids)], self.bands[:, len(self.ids)] = row, bands(row[None])[:, 0]
        self.ids.append(item.id)
        self.stories[item.id] = story
        self.title(item, story)

    def title(self, item: Item, story: int) -> None:
        """Remember who told a story under a title first."""
        key = item.title.casefold().strip()
        if len(key.encode()) >= TITLE:
            self.titles.setdefault(key, (item.source, story))

    def story(self, store: Store, item: Item, grams: set[int], row: UInt32[np.ndarray, " h"]) -> int | None:
        """The story that an item tells again, or None."""
        source, story = self.titles.get(item.title.casefold().strip(), (item.source, None))
        if story is not None and source != item.source:
            return story
        if not grams:
            return None
        near = np.flatnonzero((self.bands[:, : len(self.ids)] == bands(row[None])).any(0))
        near = near[(self.rows[near] == row).mean(1) >= LIKELY]
        return self.nearest(store, [self.ids[place] for place in near], grams) if len(near) else None

    def nearest(self, store: Store, candidates: Sequence[int], grams: set[int]) -> int | None:
        """The story of the oldest candidate that is truly alike."""
        for other in sorted(store.items(Which(ids=list(candidates), whole=True)), key=lambda item: item.id):
            if alike(grams, shingles(words(other))):
                return self.stories[other.id]
        return None
