"""What boxes, masks and maps are measured by, against counts by hand and scikit-learn."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("sklearn")
from sklearn.metrics import jaccard_score

from heedful.layers.trace import Trace
from heedful.models.vision.detector import Found
from heedful.tasks.image.baseline import Linear
from heedful.tasks.image.classes.maps import rollout
from heedful.tasks.image.scenes import box_scores, mask_scores
from heedful.tasks.image.scenes.box_scores import Boxes, average_precision
from heedful.train.matched import focal, generalised, matched, overlap, set_loss

BOX = torch.tensor([[0.3, 0.3, 0.2, 0.2]])


def scene(*boxes: torch.Tensor, classes: tuple[int, ...] | None = None, scores: tuple[float, ...] | None = None) -> Boxes:
    count = len(boxes)
    kinds = torch.tensor(classes or (0,) * count, dtype=torch.long)
    return Boxes(kinds, torch.cat(boxes) if boxes else torch.zeros(0, 4), torch.tensor(scores or (1.0,) * count))


def test_overlaps_are_scikit_learns() -> None:
    generator = torch.Generator().manual_seed(0)
    truth, found = (torch.randint(0, 4, (5, 6, 6), generator=generator) for _ in range(2))
    ours = mask_scores.overlaps(mask_scores.confusions([(truth, found)], 4))
    theirs = jaccard_score(truth.flatten(), found.flatten(), average=None)
    assert ours == pytest.approx(theirs.tolist(), rel=1e-12)


def test_kinds_are_classes_taken_together() -> None:
    labels = ("Shirt", "Coat", "Bag")
    table = torch.tensor([[9, 0, 0, 0], [0, 3, 2, 0], [0, 1, 4, 0], [0, 0, 0, 5]])
    row = mask_scores.scored(table, labels)
    assert row["mean_iou_of_kinds"] == 1.0
    assert row["mean_iou"] == pytest.approx((1 + 3 / 6 + 4 / 7 + 1) / 4)
    assert "mean_iou_of_kinds" not in mask_scores.scored(table, ("one", "two", "three"))


def test_precision_counts_each_item_once() -> None:
    twice = scene(BOX, BOX, scores=(0.9, 0.8))
    assert average_precision([twice], [scene(BOX)]) == 1.0
    two = [scene(BOX), scene(BOX)]
    assert average_precision([twice, scene()], two) == 0.5
    assert average_precision([scene(), scene()], two) == 0.0
    assert average_precision([twice], [scene()]) != average_precision([twice], [scene()])  # nan: nothing to find


def test_precision_is_the_area_by_hand() -> None:
    # Ranked: right, wrong, right of 3 items: precision 1 up to recall 1/3, then 2/3 up to 2/3, then 0.
    found = [scene(BOX, BOX + 0.5, scores=(0.9, 0.8)), scene(BOX, scores=(0.7,)), scene()]
    assert average_precision(found, [scene(BOX)] * 3) == pytest.approx(1 / 3 + 2 / 9)


def test_boxes_of_a_class_are_not_of_another() -> None:
    found, truth = [scene(BOX, classes=(1,))], [scene(BOX, classes=(0,))]
    record, listing = box_scores.scored(found, truth, ("boot", "bag"))
    assert record["map_50"] == 0.0
    assert record["items_50"] == 1.0
    assert [row[0] for row in listing.rows] == ["boot", "bag"]


def test_overlap_and_its_generalisation() -> None:
    other = BOX + torch.tensor([0.1, 0.0, 0.0, 0.0])
    assert overlap(BOX, other).item() == pytest.approx(1 / 3)
    assert generalised(BOX, other).item() == pytest.approx(1 / 3)  # the box around both is their union
    assert generalised(BOX, BOX + torch.tensor([0.4, 0.0, 0.0, 0.0])).item() == pytest.approx(-1 / 3)


def test_each_item_is_matched_to_one_box_and_none_to_no_item() -> None:
    boxes = torch.stack([torch.cat([BOX, BOX + 0.4]), torch.cat([BOX, BOX])])
    classes = torch.tensor([[0, 1], [1, -1]])
    logits = torch.zeros(2, 3, 2)
    places = torch.stack([torch.cat([BOX + 0.4, BOX, BOX + 0.2])] * 2)
    rows, columns, items = matched(Found(logits, places), classes, boxes)
    assert list(zip(rows.tolist(), columns.tolist(), items.tolist(), strict=True)) == [(0, 0, 1), (0, 1, 0), (1, 1, 0)]


def test_a_right_set_costs_little_and_an_empty_scene_is_no_error() -> None:
    sure = torch.tensor([[[9.0, -9.0], [-9.0, -9.0]]])
    places = torch.stack([torch.cat([BOX, BOX + 0.4])])
    right = set_loss(Found(sure, places), torch.tensor([[0]]), BOX[None])
    wrong = set_loss(Found(-sure, places), torch.tensor([[0]]), BOX[None])
    assert float(right) < 1e-3 < float(wrong)
    assert torch.isfinite(set_loss(Found(sure, places), torch.tensor([[-1]]), torch.zeros(1, 1, 4)))


def test_the_focal_loss_is_cross_entropy_where_it_is_most_wrong() -> None:
    logits, hit = torch.tensor([-20.0]), torch.tensor([1.0])
    assert focal(logits, hit).item() == pytest.approx(0.25 * 20.0, rel=1e-6)


def test_rollout_is_the_product_of_its_layers() -> None:
    generator = torch.Generator().manual_seed(0)
    weights = [torch.rand(1, 2, 5, 5, generator=generator).softmax(-1) for _ in range(3)]
    pooled = torch.full((5,), 0.2)
    whole = torch.eye(5, dtype=torch.float64)
    for each in weights:
        whole = (0.5 * torch.eye(5) + 0.5 * each[0].double().mean(0)) @ whole
    assert torch.allclose(rollout([Trace(each) for each in weights], pooled), pooled.double() @ whole)
    assert float(rollout([Trace(each) for each in weights], pooled).sum()) == pytest.approx(1.0)


def test_the_baseline_is_the_best_matrix() -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (60, 1, 3, 3), generator=generator).byte()
    labels = (pixels[:, 0, 0, 0] > 128).long()
    linear = Linear(pixels, labels, 2)
    x = linear.read(pixels).double()
    residual = torch.nn.functional.one_hot(labels, 2).double() - x @ linear.matrix.double()
    ridge = 1e-2 * (x.T @ x).diagonal().mean() + 1e-6
    gradient = x.T @ residual - ridge * linear.matrix.double()
    assert float(gradient.abs().max()) < 60 * 2**-23 * 20  # rounding of sums of 60 products of numbers up to 1
    assert float((linear.predict(pixels) == labels).double().mean()) > 0.9
