"""Identity, overlap and pointing of tracks, by hand."""

from __future__ import annotations

import pytest
import torch

from heedful.data.images.moving import MovingBatch
from heedful.layers.trace import Trace
from heedful.tasks.image.scenes.track_scores import followed, pointed

LEFT, RIGHT = [0.25, 0.5, 0.5, 1.0], [0.75, 0.5, 0.5, 1.0]
BATCH = MovingBatch(torch.zeros(1, 2, 1, 4, 4).byte(), torch.tensor([[3, 4, -100]]), torch.tensor([[[LEFT, RIGHT, LEFT]] * 2]))


def test_items_that_change_places_lose_their_identity() -> None:
    swapped = BATCH.boxes.clone()
    swapped[:, 1, :2] = swapped[:, 1, :2].flip(1)
    assert followed(swapped, BATCH) == {"iou": 0.0, "identity": 0.0}
    assert followed(BATCH.boxes, BATCH) == {"iou": 1.0, "identity": 1.0}


def test_half_a_box_is_half_an_overlap() -> None:
    half = BATCH.boxes.clone()
    half[:, 1, 0] = torch.tensor([0.125, 0.5, 0.25, 1.0])
    row = followed(half, BATCH)
    assert row["iou"] == pytest.approx(0.75)
    assert row["identity"] == 1.0


def test_a_look_beside_the_item_is_no_hit() -> None:
    weights = torch.zeros(1, 2, 3, 16)
    weights[0, :, 0, 1] = 1.0  # the first row's second place: left
    weights[0, :, 1, 1] = 1.0  # left again, where the second item is not
    assert pointed([Trace(weights)], BATCH, 4) == {"pointing": 0.5, "pointing_by_chance": 0.5}
