"""How well boxes are found: the mean over classes of the area under precision over recall (Everingham et al. 2010, §4.2; all points)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.tasks.task import Listing, Record
from heedful.train.matched import overlap


class Boxes(NamedTuple):
    """Boxes of one scene: class, place, and how sure."""

    classes: Int[Tensor, " n"]
    boxes: Float[Tensor, "n 4"]
    scores: Float[Tensor, " n"]


def average_precision(found: Sequence[Boxes], truth: Sequence[Boxes], least: float = 0.5) -> float:
    """Of one class: boxes from the surest on, each right if it overlaps a true one that no surer box has taken; nan without true ones.

    >>> box = torch.tensor([[0.5, 0.5, 0.2, 0.2]])
    >>> true = Boxes(torch.tensor([0]), box, torch.ones(1))
    >>> far = Boxes(torch.tensor([0]), box + 0.4, torch.tensor([0.9]))
    >>> near = Boxes(torch.tensor([0]), box, torch.tensor([0.8]))
    >>> average_precision([near], [true]), average_precision([Boxes(*map(torch.cat, zip(far, near)))], [true])
    (1.0, 0.5)
    """
    count = sum(len(each.classes) for each in truth)
    if not count:
        return float("nan")
    ranked = sorted(((float(score), scene, i) for scene, each in enumerate(found) for i, score in enumerate(each.scores)), reverse=True)
    taken: set[tuple[int, int]] = set()
    hits = []
    for _, scene, i in ranked:
        best = -1
        if len(truth[scene].boxes):
            overlaps = overlap(found[scene].boxes[i], truth[scene].boxes)
            order = overlaps.argsort(descending=True).tolist()
            best = next((j for j in order if float(overlaps[j]) >= least and (scene, j) not in taken), -1)
        hits.append(best >= 0)
        if best >= 0:
            taken.add((scene, best))
    return area(hits, count)


def area(hits: Sequence[bool], count: int) -> float:
    """Under the precision that is the best at this recall or more."""
    if not hits:
        return 0.0
    right = torch.tensor(hits, dtype=torch.float64).cumsum(0)
    precision = right / torch.arange(1, len(hits) + 1)
    highest = precision.flip(0).cummax(0).values.flip(0)
    recall = right / count
    return float((highest * torch.diff(recall, prepend=torch.zeros(1, dtype=torch.float64))).sum())


def of_class(boxes: Boxes, number: int) -> Boxes:
    """Those of one class."""
    mine = boxes.classes == number
    return Boxes(boxes.classes[mine], boxes.boxes[mine], boxes.scores[mine])


def scored(found: Sequence[Boxes], truth: Sequence[Boxes], labels: Sequence[str]) -> tuple[Record, Listing]:
    """mAP at an overlap of 0.5 and 0.75, of items whatever their class, and that of each class."""
    classes = range(len(labels))
    half = [precision_of(found, truth, number, 0.5) for number in classes]
    strict = [precision_of(found, truth, number, 0.75) for number in classes]
    record = {"map_50": mean(half), "map_75": mean(strict), "items_50": average_precision(single(found), truth, 0.5)}
    rows = tuple((name, round(a, 4), round(b, 4)) for name, a, b in zip(labels, half, strict, strict=True))
    return record, Listing("each class", ("class", "ap at .5", "ap at .75"), rows)


def single(found: Sequence[Boxes]) -> list[Boxes]:
    """Of boxes that say several classes of one place, the surest."""
    kept = []
    for each in found:
        order = each.scores.argsort(descending=True).tolist()
        mine: list[int] = []
        for i in order:
            if not mine or float(overlap(each.boxes[i], each.boxes[mine]).max()) < 1.0 - 1e-6:
                mine.append(i)
        kept.append(Boxes(each.classes[mine], each.boxes[mine], each.scores[mine]))
    return kept


def precision_of(found: Sequence[Boxes], truth: Sequence[Boxes], number: int, least: float) -> float:
    """The average precision of one class."""
    return average_precision([of_class(each, number) for each in found], [of_class(each, number) for each in truth], least)


def mean(values: Sequence[float]) -> float:
    """Of those that are numbers."""
    there = [value for value in values if value == value]
    return sum(there) / max(1, len(there))
