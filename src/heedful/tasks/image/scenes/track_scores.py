"""How well boxes are followed: overlap in every later frame, whose item a box ends on, and whether attention stays on it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.images.moving import MovingBatch
from heedful.layers.trace import Trace
from heedful.tasks.image.scenes.pointing import inside
from heedful.tasks.task import Record
from heedful.train.matched import overlap


def followed(found: Float[Tensor, "b f n 4"], batch: MovingBatch) -> Record:
    """Mean overlap (IoU) of boxes after the first frame, and the share of items whose last box overlaps none of the scene's items more.

    >>> batch = MovingBatch(torch.zeros(1, 2, 1, 4, 4).byte(), torch.tensor([[0]]), torch.full((1, 2, 1, 4), 0.5))
    >>> followed(batch.boxes, batch)
    {'iou': 1.0, 'identity': 1.0}
    """
    there = batch.labels >= 0
    counts = there[:, None].expand(-1, found.shape[1] - 1, -1)
    shares = overlap(found[:, 1:], batch.boxes[:, 1:])[counts]
    against = overlap(found[:, -1][:, :, None], batch.boxes[:, -1][:, None])
    against = torch.where(there[:, None], against, -1.0)
    own = against.diagonal(dim1=1, dim2=2)
    right = (own > 0) & (own >= against.amax(2))
    return {"iou": float(shares.double().mean()), "identity": float(right[there].double().mean())}


def pointed(traces: Sequence[Trace], batch: MovingBatch, side: int) -> Record:
    """The share of items and later frames in which a query looks hardest at a place in its item's box, and what chance would be."""
    hits, chance = list[bool](), list[float]()
    for frame, trace in enumerate(traces, start=1):
        peaks = trace.weights.float().cpu().mean(1).argmax(-1)
        for scene, number in (batch.labels >= 0).nonzero().tolist():
            cells = inside(batch.boxes[scene, frame, number], side)
            hits.append(bool(cells.flatten()[peaks[scene, number]]))
            chance.append(float(cells.double().mean()))
    return {"pointing": sum(hits) / max(1, len(hits)), "pointing_by_chance": sum(chance) / max(1, len(chance))}
