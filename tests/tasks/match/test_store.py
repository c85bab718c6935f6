"""The index on disk: what is added is there, what is removed is not, whatever happens in between."""

from __future__ import annotations

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heedful import atomic
from heedful.errors import CheckpointError, DataError, HeedfulError
from heedful.tasks.match.index import store as storing
from heedful.tasks.match.index.approximate import approximate
from heedful.tasks.match.index.lock import locked
from heedful.tasks.match.index.store import Entries, Store


def vectors(*numbers: int) -> np.ndarray:
    return np.array([[number, 2 * number] for number in numbers], dtype=np.float32)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "index")
    made.write(["a", "b", "c"], ["x", "y", "x"], vectors(0, 1, 2), {"x": "an answer"}, model="m")
    return made


@settings(max_examples=25, deadline=None)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=8))
def test_any_changes_come_to_what_a_plain_list_comes_to(steps: list[tuple[bool, int]], tmp_path_factory: pytest.TempPathFactory) -> None:
    store = Store(tmp_path_factory.mktemp("index"))
    store.write(["t0", "t1"], ["l0", "l1"], vectors(0, 1), {}, model="m")
    plain, following = {0: "t0", 1: "t1"}, 2
    for adding, value in steps:
        if adding:
            new = list(range(following, following + value % 3 + 1))
            size, numbers = store.add([f"t{n}" for n in new], [f"l{n}" for n in new], vectors(*new))
            assert numbers == new
            plain |= {n: f"t{n}" for n in new}
            following += len(new)
        elif value in plain:
            size = store.remove([value])
            del plain[value]
        else:
            with pytest.raises(DataError, match=str(value)):
                store.remove([value])
            continue
        assert size == len(plain)
    found = store.read()
    assert dict(zip(found.numbers, found.texts, strict=True)) == plain
    assert found.labels == tuple(text.replace("t", "l") for text in found.texts)
    if len(found):
        assert np.array_equal(found.vectors, vectors(*found.numbers))


def test_an_index_that_is_there_stays(store: Store) -> None:
    store.add(["d"], ["z"], vectors(3), {"z": "more"})
    store.write(["other"], ["o"], vectors(9), {}, model="m")
    found = store.read()
    assert found.texts == ("a", "b", "c", "d")
    assert found.answers == {"x": "an answer", "z": "more"}


@pytest.mark.parametrize("name", ["index.json", ".npy", ".json"])
def test_what_is_killed_while_writing_leaves_it_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    written, replacing = atomic.write, atomic.replacing

    def killed(path: Path, data: bytes | str) -> None:
        if path.name.endswith(name):
            raise KeyboardInterrupt
        written(path, data)

    def cut(path: Path) -> object:
        if path.name.endswith(name):
            raise KeyboardInterrupt
        return replacing(path)

    monkeypatch.setattr(storing.atomic, "write", killed)
    monkeypatch.setattr(storing.atomic, "replacing", cut)
    with pytest.raises(KeyboardInterrupt):
        store.add(["d"], ["z"], vectors(3))
    monkeypatch.undo()
    assert store.read().texts == ("a", "b", "c")
    assert store.add(["d"], ["z"], vectors(3)) == (4, [3])
    assert store.read().texts == ("a", "b", "c", "d")
    named = {part for part, _ in store.manifest().segments}
    assert {path.stem for path in store.folder.glob("segment-*")} == named


def adding(folder: Path, label: str, times: int) -> None:
    for i in range(times):
        Store(folder).add([f"{label}{i}"], [label], vectors(i))


def test_two_processes_lose_nothing(store: Store) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=adding, args=(store.folder, label, 8)) for label in ("p", "q")]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        assert len(store.read()) >= 3
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    found = store.read()
    assert sorted(found.texts[3:]) == sorted(f"{label}{i}" for label in "pq" for i in range(8))
    assert sorted(found.numbers) == list(range(19))


def test_many_removals_are_tidied_away(store: Store) -> None:
    store.remove([0, 2])
    manifest = store.manifest()
    assert (manifest.removed, manifest.size, len(manifest.segments)) == ((), 1, 1)
    assert store.read().numbers == (1,)
    assert store.add(["d"], ["z"], vectors(3)) == (2, [3])


def test_another_model_keeps_entries_and_numbers(store: Store) -> None:
    store.remove([0])
    store.renew("n", lambda texts: vectors(*(10 for _ in texts)))
    found = store.read()
    assert (found.numbers, found.texts, store.manifest().model) == ((1, 2), ("b", "c"), "n")
    assert np.array_equal(found.vectors, vectors(10, 10))


def test_what_is_damaged_or_newer_or_held_says_so(store: Store) -> None:
    with locked(store.folder), pytest.raises(HeedfulError, match="another process"), locked(store.folder, patience=0.1):
        pass
    data = json.loads(store.manifest_path.read_text())
    store.manifest_path.write_text(json.dumps({**data, "version": 99}))
    with pytest.raises(CheckpointError, match="version 99"):
        store.read()
    store.manifest_path.write_text("{")
    with pytest.raises(CheckpointError, match="damaged"):
        store.read()
    store.manifest_path.unlink()
    with pytest.raises(CheckpointError, match="no index"):
        store.read()


def test_a_graph_finds_what_looking_at_all_finds(tmp_path: Path) -> None:
    pytest.importorskip("usearch")
    made = np.random.default_rng(0).normal(size=(400, 8)).astype(np.float32)
    entries = Entries(("",) * 400, ("",) * 400, tuple(range(400)), made)
    wanted = np.argsort(-(made @ made.T), axis=1)[:, :5]
    found = approximate(tmp_path, entries).nearest(made, 5)
    shared = np.mean([len({*one} & {*other}) / 5 for one, other in zip(found.tolist(), wanted.tolist(), strict=True)])
    assert shared > 0.95  # an approximate search that missed one of twenty would be of little use
    later = approximate(tmp_path, replace(entries, generation=1))
    assert [path.name for path in tmp_path.glob("near-*")] == ["near-1.usearch"]
    assert np.array_equal(
        later.nearest(made[:3], 1)[:, 0], approximate(tmp_path, replace(entries, generation=1)).nearest(made[:3], 1)[:, 0]
    )
