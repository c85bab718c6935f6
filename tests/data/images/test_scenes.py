"""Scenes: masks and boxes agree, and little of any item is hidden."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("sklearn")

from heedful.data.images.scenes import around, load_scenes
from heedful.errors import DataError
from heedful.spec.images import SceneDataSpec

SPEC = SceneDataSpec(size=32, items=3, train=24, validation=2, test=2)


def test_every_box_is_around_pixels_of_its_class() -> None:
    batch = load_scenes(SPEC).parts["train"]
    several = 0
    for labels, classes, boxes in zip(batch.labels, batch.classes, batch.boxes, strict=True):
        there = (classes >= 0).nonzero()[:, 0].tolist()
        several += len(there) > 1
        assert there
        assert set(labels.flatten().tolist()) - {0} == {int(classes[i]) + 1 for i in there}
        for i in there:
            if (classes == classes[i]).sum() == 1:
                assert torch.equal(around(labels == classes[i] + 1), boxes[i])
    assert several


def test_a_seed_makes_the_same_scenes_and_another_seed_others() -> None:
    one, same, other = (load_scenes(SceneDataSpec(**{**vars(SPEC), "seed": seed})).parts["train"] for seed in (0, 0, 1))
    assert torch.equal(one.pixels, same.pixels)
    assert not torch.equal(one.pixels, other.pixels)


def test_items_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match=r"do not fit scenes of 8: data\.size above 10"):
        load_scenes(SceneDataSpec(size=8))
