"""Boxes followed through frames: what is given stays, items do not depend on those that are not there, and a way is learnt."""

from __future__ import annotations

import torch

from heedful.data.images.moving import load_moving
from heedful.models.vision.tracker import Tracker
from heedful.spec.moving import MovingDataSpec, TrackerSpec
from heedful.tasks.image.scenes.track_scores import followed
from heedful.train.pictures import numbers
from heedful.train.tracked import boxes_that_move

SPEC = TrackerSpec(labels=("one", "two"), size=16, channels=1, stem=(8, 8), width=16, layers=1)


def given(scenes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    return torch.rand(scenes, 4, 1, 16, 16, generator=generator), 0.2 + 0.5 * torch.rand(scenes, 3, 4, generator=generator)


def test_first_boxes_are_those_given_and_a_new_model_leaves_them_there() -> None:
    x, boxes = given(2)
    found = Tracker(SPEC).eval()(x, boxes, torch.tensor([3, 3]))
    assert torch.equal(found.boxes[:, 0], boxes)
    torch.testing.assert_close(found.boxes, boxes[:, None].expand(-1, 4, -1, -1))


def test_items_that_are_not_there_change_nothing() -> None:
    torch.manual_seed(0)
    model = Tracker(SPEC).eval()
    for weight in model.parameters():
        weight.data.add_(0.1 * torch.randn_like(weight))
    x, boxes = given(2)
    other = boxes.clone()
    other[:, 2] = 0.9
    one, two = (model(x, each, torch.tensor([2, 2])).boxes[:, :, :2] for each in (boxes, other))
    torch.testing.assert_close(one, two)
    assert not torch.allclose(one[:, 1:], boxes[:, None, :2].expand_as(one[:, 1:]))


def test_later_frames_change_no_earlier_box() -> None:
    torch.manual_seed(0)
    model = Tracker(SPEC).eval()
    for weight in model.parameters():
        weight.data.add_(0.1 * torch.randn_like(weight))
    x, boxes = given(1)
    other = x.clone()
    other[:, 3] = 0.0
    one, two = (model(each, boxes, torch.tensor([3])).boxes for each in (x, other))
    torch.testing.assert_close(one[:, :3], two[:, :3])
    assert not torch.allclose(one[:, 3], two[:, 3])


def test_a_way_is_learnt() -> None:
    torch.manual_seed(0)
    data = MovingDataSpec(size=16, items=1, frames=3, speed=3.0, train=64, validation=32, test=1)
    found = load_moving(data, ("train", "validation"))
    train, fresh = found.parts["train"], found.parts["validation"]
    model = Tracker(TrackerSpec(labels=found.labels, size=16, channels=1, stem=(8,), width=16, layers=1))
    optimiser = torch.optim.AdamW(model.parameters(), 0.003)
    for _ in range(100):
        optimiser.zero_grad()
        boxes_that_move(model.train(), train, None).loss.backward()
        optimiser.step()
    with torch.inference_mode():
        boxes = model.eval()(numbers(fresh.pixels), fresh.boxes[:, 0], (fresh.labels >= 0).sum(1)).boxes
    stay = followed(fresh.boxes[:, :1].expand_as(fresh.boxes), fresh)
    assert followed(boxes, fresh)["iou"] > stay["iou"] + 0.1
