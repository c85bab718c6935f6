"""The pointing test: does attention fall on the item that a box is of (Zhang et al. 2018, arXiv 1608.00507, §4.2)?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import interpolate

from heedful.data.images.batches import SceneBatch
from heedful.models.vision.detector import DetectorOutput
from heedful.tasks.task import Record
from heedful.train.matched import matched


def pointed(outputs: Sequence[DetectorOutput], batch: SceneBatch, side: int) -> Record:
    """The share of items whose matched query looks hardest at a place on it (in its box, of its class), and what chance would be."""
    hits, chance, first = list[bool](), list[float](), 0
    size = batch.labels.shape[-1]
    for output in outputs:
        last, count = output.said[-1], len(output.said[-1].boxes)
        some = [part[first : first + count] for part in (batch.classes, batch.boxes, batch.labels)]
        scenes, queries, items = matched(last, some[0], some[1])
        weights = torch.stack([trace.weights.float().cpu().mean(1) for trace in output.traces]).mean(0)
        for scene, query, item in zip(scenes.tolist(), queries.tolist(), items.tolist(), strict=True):
            there = inside(some[1][scene, item], size) & (some[2][scene] == some[0][scene, item] + 1)
            cells = interpolate(there[None, None].float(), (side, side), mode="area")[0, 0] > 0
            hits.append(bool(cells.flatten()[weights[scene, query].argmax()]))
            chance.append(float(cells.float().mean()))
        first += count
    return {"pointing": sum(hits) / max(1, len(hits)), "pointing_by_chance": sum(chance) / max(1, len(chance))}


def inside(box: torch.Tensor, size: int) -> torch.Tensor:
    """The pixels of a box."""
    middle = (torch.arange(size) + 0.5) / size
    x, y, w, h = box.tolist()
    found: torch.Tensor = ((middle - y).abs() <= h / 2)[:, None] & ((middle - x).abs() <= w / 2)[None]
    return found
