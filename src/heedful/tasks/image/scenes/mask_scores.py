"""How well the class of every pixel is told: intersection over union of each class, over all scenes together (Everingham 2010, §4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.tasks.task import Listing, Record

KINDS: Final[Mapping[str, str]] = {  # classes of Fashion-MNIST by what they are worn on: what their outlines tell apart
    "T-shirt/top": "top",
    "Pullover": "top",
    "Coat": "top",
    "Shirt": "top",
    "Dress": "dress",
    "Trouser": "trousers",
    "Sandal": "shoe",
    "Sneaker": "shoe",
    "Ankle boot": "shoe",
    "Bag": "bag",
}


def confusions(pairs: Iterable[tuple[Int[Tensor, "b h w"], Int[Tensor, "b h w"]]], classes: int) -> Int[Tensor, "c c"]:
    """How many pixels of each class (rows) were taken for each (columns)."""
    total = torch.zeros(classes * classes, dtype=torch.long)
    for truth, found in pairs:
        total += torch.bincount((truth * classes + found).flatten(), minlength=classes * classes)
    return total.view(classes, classes)


def overlaps(table: Int[Tensor, "c c"]) -> list[float]:
    """Intersection over union of each class; nan for one that is neither there nor said.

    >>> overlaps(torch.tensor([[3, 1], [0, 4]]))
    [0.75, 0.8]
    """
    right = table.diagonal().double()
    union = table.sum(0) + table.sum(1) - table.diagonal()
    return (right / union).tolist()


def merged(table: Int[Tensor, "c c"], labels: Sequence[str]) -> Int[Tensor, "k k"] | None:
    """The same between kinds of items; None where classes have no kinds."""
    if not set(labels) <= set(KINDS):
        return None
    kinds = sorted(set(KINDS.values()))
    place = torch.tensor([0] + [kinds.index(KINDS[label]) + 1 for label in labels])
    rows = torch.zeros(len(kinds) + 1, table.shape[1], dtype=torch.long).index_add_(0, place, table)
    return torch.zeros(len(kinds) + 1, len(kinds) + 1, dtype=torch.long).index_add_(1, place, rows)


def scored(table: Int[Tensor, "c c"], labels: Sequence[str]) -> Record:
    """Mean overlap over all classes and the ground, over kinds of items, of item against ground, and the share of pixels that are right."""
    inside = torch.tensor([[int(table[0, 0]), int(table[0, 1:].sum())], [int(table[1:, 0].sum()), int(table[1:, 1:].sum())]])
    kinds = merged(table, labels)
    row = {"mean_iou": mean(overlaps(table)), "item_iou": overlaps(inside)[1], "pixels_right": float(table.diagonal().sum() / table.sum())}
    return row if kinds is None else {"mean_iou": row.pop("mean_iou"), "mean_iou_of_kinds": mean(overlaps(kinds)), **row}


def mean(values: Sequence[float]) -> float:
    """Of those that are numbers."""
    there = [value for value in values if value == value]
    return sum(there) / len(there)


def listed(table: Int[Tensor, "c c"], labels: Sequence[str]) -> Listing:
    """The overlap of each class."""
    rows = tuple((name, round(value, 4)) for name, value in zip(("none", *labels), overlaps(table), strict=True))
    return Listing("each class", ("class", "iou"), rows)
