"""The loss of a set of boxes: each item matched to one box, the cheapest for all together (Carion 2020, arXiv 2005.12872, §3.1).

Classes by the focal loss (Lin 2017, arXiv 1708.02002, eq. 5), boxes by distance and generalised overlap (Rezatofighi 2019, 1902.09630).
"""

from __future__ import annotations

from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, one_hot

from heedful.data.images.batches import SceneBatch
from heedful.errors import MissingExtra
from heedful.models.vision.detector import DetectorOutput, Found
from heedful.train.objective import Carry, Objective, Outcome
from heedful.train.pictures import numbers

CLASS: Final = 2.0
DISTANCE: Final = 5.0
OVERLAP: Final = 2.0
ALPHA: Final = 0.25
GAMMA: Final = 2.0


def boxes_of_scene() -> Objective:
    """What is wrong with the proposals and with the boxes of every layer, per item."""

    def objective(model: nn.Module, batch: SceneBatch, carry: Carry) -> Outcome:
        output: DetectorOutput = model(numbers(batch.pixels))
        every = (output.proposed, *output.said)
        losses = [set_loss(Found(each.logits.float(), each.boxes.float()), batch.classes, batch.boxes) for each in every]
        return Outcome(torch.stack(losses).sum(), None)

    return objective


def set_loss(found: Found, classes: Int[Tensor, "b i"], boxes: Float[Tensor, "b i 4"]) -> Float[Tensor, ""]:
    """The loss of one set of boxes a scene; items of class -1 are none."""
    rows, columns, items = matched(found, classes, boxes)
    count = max(1, len(rows))
    hit = torch.zeros_like(found.logits)
    hit[rows, columns] = one_hot(classes[rows, items], found.logits.shape[-1]).to(hit.dtype)
    near, true = found.boxes[rows, columns], boxes[rows, items]
    distance = (near - true).abs().sum()
    overlap = (1.0 - generalised(near, true)).sum()
    return (CLASS * focal(found.logits, hit).sum() + DISTANCE * distance + OVERLAP * overlap) / count


@torch.no_grad()
def matched(
    found: Found, classes: Int[Tensor, "b i"], boxes: Float[Tensor, "b i 4"]
) -> tuple[Int[Tensor, " m"], Int[Tensor, " m"], Int[Tensor, " m"]]:
    """The scene, the box and the item of every match (Kuhn 1955, by scipy)."""
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError:
        raise MissingExtra("scipy", "vision", "learning to find boxes") from None
    share = found.logits.sigmoid()
    worth = ALPHA * (1 - share) ** GAMMA * -share.clamp(min=1e-8).log()
    against = (1 - ALPHA) * share**GAMMA * -(1 - share).clamp(min=1e-8).log()
    wanted = classes.clamp(min=0)[:, None, :].expand(-1, found.logits.shape[1], -1)
    cost = CLASS * (worth - against).gather(2, wanted) + DISTANCE * torch.cdist(found.boxes, boxes, p=1)
    cost = cost - OVERLAP * generalised(found.boxes[:, :, None], boxes[:, None])
    triples: list[Tensor] = []
    for scene, (table, kinds) in enumerate(zip(cost.cpu(), classes.cpu(), strict=True)):
        there = (kinds >= 0).nonzero()[:, 0]
        chosen, items = linear_sum_assignment(table[:, there].numpy())
        triples.append(torch.stack([torch.full((len(chosen),), scene), torch.as_tensor(chosen), there[torch.as_tensor(items)]]))
    scenes, columns, found_items = torch.cat(triples, dim=1).to(classes.device)
    return scenes, columns, found_items


def focal(logits: Float[Tensor, "*n"], hit: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Cross entropy, weighed down where the answer is right and sure already."""
    share = logits.sigmoid()
    wrong = hit * (1 - share) + (1 - hit) * share
    weight = hit * ALPHA + (1 - hit) * (1 - ALPHA)
    return weight * wrong**GAMMA * binary_cross_entropy_with_logits(logits, hit, reduction="none")


def corners(boxes: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Left, top, right, bottom of centres, widths and heights."""
    middle, half = boxes[..., :2], boxes[..., 2:] / 2
    return torch.cat([middle - half, middle + half], dim=-1)


def areas(box: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n"]:
    """Of boxes given by their corners; none is negative."""
    return (box[..., 2:] - box[..., :2]).clamp(min=0).prod(-1)


def generalised(one: Float[Tensor, "*#n 4"], other: Float[Tensor, "*#n 4"]) -> Float[Tensor, "*m"]:
    """Overlap over union, less the share of the smallest box around both that neither covers: -1 to 1.

    >>> box = torch.tensor([0.25, 0.5, 0.5, 1.0])
    >>> generalised(box, box).item(), generalised(box, torch.tensor([0.75, 0.5, 0.5, 1.0])).item()
    (1.0, 0.0)
    """
    a, b = corners(one), corners(other)
    shared, joint = common(a, b)
    around = torch.cat([torch.minimum(a[..., :2], b[..., :2]), torch.maximum(a[..., 2:], b[..., 2:])], dim=-1)
    whole = areas(around).clamp(min=1e-9)
    return shared / joint - (whole - joint) / whole


def common(a: Float[Tensor, "*#n 4"], b: Float[Tensor, "*#n 4"]) -> tuple[Float[Tensor, "*m"], Float[Tensor, "*m"]]:
    """The area two boxes (by corners) share, and that of both together."""
    inner = torch.cat([torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])], dim=-1)
    shared = areas(inner)
    return shared, (areas(a) + areas(b) - shared).clamp(min=1e-9)


def overlap(one: Float[Tensor, "*#n 4"], other: Float[Tensor, "*#n 4"]) -> Float[Tensor, "*m"]:
    """Intersection over union of boxes given by centres."""
    shared, joint = common(corners(one), corners(other))
    return shared / joint
