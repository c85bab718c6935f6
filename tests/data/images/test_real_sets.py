"""The layouts under $HEEDFUL_DATA, as they are; skipped where they are not there."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("PIL")

from heedful.data.images.archives import members
from heedful.data.images.reading import common, read
from heedful.data.images.sources import load_images
from heedful.spec.images import ImageDataSpec

HOME = Path(os.environ.get("HEEDFUL_DATA") or "none")


@pytest.mark.data
@pytest.mark.skipif(not (HOME / "fashion-mnist").is_dir(), reason="no fashion-mnist under $HEEDFUL_DATA")
def test_fashion_mnist_is_whole() -> None:
    found = load_images(ImageDataSpec("fashion-mnist"))
    assert [len(found.part(part)) for part in ("train", "validation", "test")] == [54_000, 6_000, 10_000]
    assert (found.size, found.channels, found.labels[9]) == (28, 1, "Ankle boot")
    both = [found.part(part).pixels for part in ("train", "validation")]
    mean = sum(int(pixels.long().sum()) for pixels in both) / (255 * sum(pixels.numel() for pixels in both))
    assert round(mean, 4) == 0.2860  # as published with the set


@pytest.mark.data
@pytest.mark.skipif(not (HOME / "cifar10-jpeg").is_dir(), reason="no cifar10-jpeg under $HEEDFUL_DATA")
def test_the_tars_of_cifar10_are_read_by_class() -> None:
    files = members(HOME / "cifar10-jpeg" / "test.tar.xz")
    assert list(files) == ["test"]
    assert set(Counter(file.label for file in files["test"]).values()) == {1000}
    some = files["test"][::500]
    assert common(some) == 32
    assert read(some, 0, 0).pixels.shape == (20, 3, 32, 32)
