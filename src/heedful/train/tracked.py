"""What a model that follows boxes learns by: distance and overlap of every box in every frame after the first."""

from __future__ import annotations

import torch
from torch import nn

from heedful.data.images.moving import MovingBatch
from heedful.models.vision.tracker import TrackerOutput
from heedful.train.matched import DISTANCE, OVERLAP, generalised
from heedful.train.objective import Carry, Outcome
from heedful.train.pictures import numbers


def boxes_that_move(model: nn.Module, batch: MovingBatch, carry: Carry) -> Outcome:
    """Five times the distance and twice what overlap is missing, per item and frame."""
    there = batch.labels >= 0
    output: TrackerOutput = model(numbers(batch.pixels), batch.boxes[:, 0], there.sum(1))
    counts = there[:, None].expand(-1, batch.boxes.shape[1] - 1, -1)
    near, true = output.boxes[:, 1:][counts], batch.boxes[:, 1:][counts]
    distance, overlap = (near - true).abs().sum(-1), 1.0 - generalised(near, true)
    return Outcome(torch.mean(DISTANCE * distance + OVERLAP * overlap), None)
