"""A source of pictures in every layout: the same pictures, classes and parts."""

from __future__ import annotations

import gzip
import struct
import sys
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("PIL")
pytest.importorskip("sklearn")
from PIL import Image

from heedful.data.images.idx import array
from heedful.data.images.sources import load_images
from heedful.errors import DataError
from heedful.spec.images import ImageDataSpec


def pictures(folder: Path, classes: tuple[str, ...] = ("dark", "light"), count: int = 6, side: int = 10) -> Path:
    """Pictures of one shade each, by class."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(np.full((side, side), 200 * number + i, np.uint8)).save(folder / name / f"{i:02d}.png")
    return folder


def test_a_folder_by_class(tmp_path: Path) -> None:
    found = load_images(ImageDataSpec(str(pictures(tmp_path / "p")), validation=0.2, test=0.2))
    assert found.labels == ("dark", "light")
    assert (found.size, found.channels) == (10, 1)
    assert [len(found.part(part)) for part in ("train", "validation", "test")] == [8, 2, 2]
    whole = found.part("whole")
    assert sorted(whole.pixels[:, 0, 0, 0].tolist()) == [*range(6), *range(200, 206)]
    assert all((shade >= 200) == (label == "light") for shade, label in zip(whole.pixels[:, 0, 0, 0].tolist(), whole.labels, strict=True))


def test_a_folder_with_its_own_parts(tmp_path: Path) -> None:
    pictures(tmp_path / "p" / "train")
    pictures(tmp_path / "p" / "test", count=3)
    found = load_images(ImageDataSpec(str(tmp_path / "p"), size=8, channels=3))
    assert found.part("test").pixels.shape == (6, 3, 8, 8)
    assert len(found.part("train")) + len(found.part("validation")) == 12


def test_a_table_of_paths(tmp_path: Path) -> None:
    pictures(tmp_path / "p")
    lines = [f"p/{name}/{i:02d}.png,{name},{'test' if i == 5 else 'train'}" for name in ("dark", "light") for i in range(6)]
    table = tmp_path / "pictures.csv"
    table.write_text("path,label,split\n" + "\n".join(lines) + "\n")
    found = load_images(ImageDataSpec(str(table)))
    assert found.part("test").labels == ("dark", "light")
    table.write_text("path,label\np/dark/99.png,dark\n")
    with pytest.raises(DataError, match=r"row 1: p/dark/99\.png: no such file"):
        load_images(ImageDataSpec(str(table)))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_an_archive(tmp_path: Path, mode: str) -> None:
    pictures(tmp_path / "p" / "train")
    pictures(tmp_path / "p" / "test", count=2)
    path = tmp_path / f"p.tar{mode[1:].replace(':', '.')}"
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        archive.add(tmp_path / "p", "p")
    found = load_images(ImageDataSpec(str(path)))
    assert len(found.part("test")) == 4
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"not a whole tar archive|no pictures"):
        load_images(ImageDataSpec(str(path)))


def idx(path: Path, values: np.ndarray[Any, Any]) -> None:
    head = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    path.write_bytes(gzip.compress(head + values.astype(np.uint8).tobytes()))


def test_the_layout_of_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "fashion-mnist"
    home.mkdir()
    rng = np.random.default_rng(0)
    for prefix, count in (("train", 40), ("t10k", 20)):
        idx(home / f"{prefix}-images-idx3-ubyte.gz", rng.integers(0, 256, (count, 28, 28)))
        idx(home / f"{prefix}-labels-idx1-ubyte.gz", np.arange(count) % 10)
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path))
    found = load_images(ImageDataSpec("fashion-mnist"))
    assert found.labels[:2] == ("T-shirt/top", "Trouser")
    assert len(found.part("test")) == 20
    (home / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"\0\0\x08\x03" + b"\0" * 13))
    with pytest.raises(DataError, match="bytes after its head"):
        load_images(ImageDataSpec("fashion-mnist"))
    (home / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"nothing"))
    with pytest.raises(DataError, match="not IDX of bytes"):
        array(home / "t10k-images-idx3-ubyte.gz")


def test_the_hub_is_read_through_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    module: Any = ModuleType("datasets")
    module.ClassLabel = type("ClassLabel", (), {"names": ["no", "yes"]})
    module.Image = type("Image", (), {})
    rows = [{"photo": Image.fromarray(np.full((4, 4), i, np.uint8)), "answer": i % 2} for i in range(8)]

    class Rows(list[Any]):
        features = {"photo": module.Image(), "answer": module.ClassLabel()}  # noqa: RUF012

    module.load_dataset = lambda name: {"train": Rows(rows), "test": Rows(rows[:2])}
    monkeypatch.setitem(sys.modules, "datasets", module)
    found = load_images(ImageDataSpec("hf:someone/something"))
    assert found.labels == ("no", "yes")
    assert found.part("test").pixels[:, 0, 0, 0].tolist() == [0, 1]

    def refused(name: str) -> None:
        raise ConnectionError("no network")

    module.load_dataset = refused
    with pytest.raises(DataError, match="cannot be had: no network"):
        load_images(ImageDataSpec("hf:someone/something"))


def test_what_will_not_do_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEEDFUL_DATA", str(tmp_path / "none"))
    with pytest.raises(DataError, match="did you mean 'digits'"):
        load_images(ImageDataSpec("digit"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures in it: a folder a class"):
        load_images(ImageDataSpec(str(tmp_path / "empty")))
    with pytest.raises(DataError, match="1 class to learn"):
        load_images(ImageDataSpec(str(pictures(tmp_path / "one", ("alone",)))))
    with pytest.raises(DataError, match="has one picture"):
        load_images(ImageDataSpec(str(pictures(tmp_path / "few", count=1))))
    (tmp_path / "pictures" / "a").mkdir(parents=True)
    (tmp_path / "pictures" / "a" / "x.png").write_text("words")
    with pytest.raises(DataError, match=r"x\.png: not a picture"):
        load_images(ImageDataSpec(str(tmp_path / "pictures")))


def test_sizes_that_differ_become_one(tmp_path: Path) -> None:
    pictures(tmp_path / "p")
    Image.fromarray(np.zeros((20, 12, 3), np.uint8)).save(tmp_path / "p" / "dark" / "z.png")
    found = load_images(ImageDataSpec(str(tmp_path / "p")))
    assert (found.size, found.channels) == (32, 3)
    assert found.part("train").pixels.dtype == torch.uint8
