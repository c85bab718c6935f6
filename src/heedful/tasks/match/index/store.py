"""An index on disk: segments that are never changed, and one small file that says which of them count.

A change writes new segments, then replaces that file at once (atomic.write), then removes what it no longer names: whatever is killed
at whatever moment leaves the index as it was before or as it is after. Writers take turns by a lock; readers need none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float

from heedful import atomic
from heedful.errors import CheckpointError, DataError
from heedful.tasks.match.index.lock import locked

Embed = Callable[[Sequence[str]], Float[np.ndarray, "n d"]]
VERSION: Final = 1
STALE: Final = 0.25  # of the entries that are removed, above which segments are written anew
TRIES: Final = 5  # to read while a writer tidies up


@dataclass(frozen=True)
class Entries:
    """Known questions, the class of each, and their numbers, which never change; their vectors; the answers of classes.

    Every change adds 1 to `generation`.
    """

    texts: tuple[str, ...]
    labels: tuple[str, ...]
    numbers: tuple[int, ...]
    vectors: Float[np.ndarray, "n d"]
    answers: Mapping[str, str] = field(default_factory=dict)
    generation: int = 0

    def __len__(self) -> int:
        return len(self.texts)

    def picked(self, places: Sequence[int]) -> Entries:
        """Those at `places`."""
        texts, labels = (tuple(row[i] for i in places) for row in (self.texts, self.labels))
        numbers = tuple(self.numbers[i] for i in places)
        return Entries(texts, labels, numbers, self.vectors[np.array(places, dtype=np.int64)], self.answers, self.generation)


@dataclass(frozen=True)
class Manifest:
    """What counts: the model that made the vectors, the next number, segments and their sizes, numbers that are removed, answers."""

    model: str
    version: int = VERSION
    following: int = 0
    generation: int = 0
    segments: tuple[tuple[str, int], ...] = ()
    removed: tuple[int, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many entries count."""
        return sum(rows for _, rows in self.segments) - len(self.removed)


@dataclass(frozen=True)
class Store:
    """The folder of an index.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(Path(folder))
    ...     store.write(["lost card", "new pin"], ["card", "pin"], np.eye(2, dtype=np.float32), {}, model="m")
    ...     store.add(["card gone"], ["card"], np.ones((1, 2), dtype=np.float32))
    ...     store.remove([0])
    ...     found = store.read()
    ...     found.texts, found.numbers, store.manifest().size
    (3, [2])
    2
    (('new pin', 'card gone'), (1, 2), 2)
    """

    folder: Path

    @property
    def manifest_path(self) -> Path:
        """The file that says what counts."""
        return self.folder / "index.json"

    def there(self) -> bool:
        """Whether there is an index."""
        return self.manifest_path.is_file()

    def manifest(self) -> Manifest:
        """What counts now; `CheckpointError` for a file that is damaged or newer."""
        try:
            data = json.loads(self.manifest_path.read_text(encoding="utf-8"))
            if data["version"] > VERSION:
                raise CheckpointError(
                    f"{self.manifest_path}: version {data['version']}, this Heedful reads up to {VERSION}: upgrade Heedful"
                )
            pairs = tuple((str(name), int(rows)) for name, rows in data.pop("segments"))
            return Manifest(**{**data, "segments": pairs, "removed": tuple(data["removed"])})
        except FileNotFoundError:
            raise CheckpointError(f"{self.folder}: no index: `heedful index search RUN TEXT` makes one") from None
        except (ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{self.manifest_path}: cut short or damaged: {error!r}; without the folder it is made anew") from None

    def write(
        self, texts: Sequence[str], labels: Sequence[str], vectors: Float[np.ndarray, "n d"], answers: Mapping[str, str], model: str
    ) -> None:
        """A new index, numbers counted from 0; one that is there already, by another process, stays as it is."""
        with locked(self.folder):
            if not self.there():
                fresh = Manifest(model, answers=dict(answers))
                self.commit(self.appended(fresh, texts, labels, tuple(range(len(texts))), vectors))

    def renew(self, model: str, embed: Embed) -> None:
        """The same entries under the same numbers, with the vectors of another model."""
        with locked(self.folder):
            now = self.manifest()
            if now.model != model:
                kept = self.gathered(now)
                fresh = replace(now, model=model, generation=now.generation + 1, segments=(), removed=())
                self.commit(self.appended(fresh, kept.texts, kept.labels, kept.numbers, embed(kept.texts)))

    def add(
        self, texts: Sequence[str], labels: Sequence[str], vectors: Float[np.ndarray, "n d"], answers: Mapping[str, str] | None = None
    ) -> tuple[int, list[int]]:
        """More entries; how many there are now, and the numbers of the new ones."""
        with locked(self.folder):
            now = self.manifest()
            numbers = tuple(range(now.following, now.following + len(texts)))
            now = replace(now, answers={**now.answers, **(answers or {})}, generation=now.generation + 1)
            after = self.appended(now, texts, labels, numbers, vectors)
            self.commit(after)
            return after.size, list(numbers)

    def remove(self, numbers: Sequence[int]) -> int:
        """Entries by their numbers, which are not given again; how many are left. `DataError` for a number that is not there."""
        with locked(self.folder):
            now = self.manifest()
            there = set(self.gathered(now).numbers)
            strange = sorted(set(numbers) - there)
            if strange:
                raise DataError(f"{self.folder}: no entry has the number {strange[0]}: `heedful index search` shows those there are")
            after = replace(now, removed=tuple(sorted({*now.removed, *numbers})), generation=now.generation + 1)
            self.commit(self.tidied(after))
            return after.size

    def read(self) -> Entries:
        """All entries that count."""
        for _ in range(TRIES - 1):
            try:
                return self.gathered(self.manifest())
            except FileNotFoundError:  # a writer tidied up between the two
                continue
        return self.gathered(self.manifest())

    def gathered(self, now: Manifest) -> Entries:
        """The entries of a manifest."""
        parts = [self.segment(name) for name, _ in now.segments]
        texts, labels = (tuple(text for part in parts for text in part[key]) for key in ("texts", "labels"))
        numbers = tuple(int(number) for part in parts for number in part["numbers"])
        vectors = np.concatenate([part["vectors"] for part in parts]) if parts else np.zeros((0, 0), dtype=np.float32)
        whole = Entries(texts, labels, numbers, vectors, now.answers, now.generation)
        gone = set(now.removed)
        return whole.picked([i for i, number in enumerate(numbers) if number not in gone]) if gone else whole

    def segment(self, name: str) -> dict[str, Any]:
        """The texts, labels, numbers and vectors of one segment."""
        said = json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8"))
        return {**said, "vectors": np.load(self.folder / f"{name}.npy")}

    def appended(
        self, now: Manifest, texts: Sequence[str], labels: Sequence[str], numbers: Sequence[int], vectors: Float[np.ndarray, "n d"]
    ) -> Manifest:
        """The manifest with one more segment, which is written first."""
        if not len(texts):
            return now
        name = f"segment-{now.generation}"
        said = {"texts": list(texts), "labels": list(labels), "numbers": list(numbers)}
        atomic.write(self.folder / f"{name}.json", json.dumps(said, ensure_ascii=False))
        with atomic.replacing(self.folder / f"{name}.npy") as file:
            np.save(file, np.ascontiguousarray(vectors, dtype=np.float32))
        following = max([now.following, *(number + 1 for number in numbers)])
        return replace(now, segments=(*now.segments, (name, len(texts))), following=following)

    def tidied(self, now: Manifest) -> Manifest:
        """One segment in the place of several where many entries are removed."""
        if len(now.removed) <= STALE * (now.size + len(now.removed)):
            return now
        kept = self.gathered(now)
        return self.appended(replace(now, segments=(), removed=()), kept.texts, kept.labels, kept.numbers, kept.vectors)

    def commit(self, now: Manifest) -> None:
        """Make it count, and remove the files that no longer do."""
        atomic.write(self.manifest_path, json.dumps(asdict(now), ensure_ascii=False))
        named = {name for name, _ in now.segments}
        for path in (*self.folder.glob("segment-*"), *self.folder.glob(".*.part")):
            if path.stem not in named:
                path.unlink(missing_ok=True)
