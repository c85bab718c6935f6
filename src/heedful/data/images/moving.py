"""Scenes that move: real items that pass before and behind each other, the box of each known in every frame, in sight or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from heedful.data.images.pictures import PARTS, Pictures
from heedful.data.images.scenes import DARK, GROUND, around
from heedful.data.images.sources import load_images
from heedful.errors import DataError
from heedful.spec.images import ImageDataSpec
from heedful.spec.moving import MovingDataSpec

NONE: Final = -100  # the class of an item that is not there


class MovingBatch(NamedTuple):
    """Frames in bytes, the class of each item (-100: no item), and its box (x, y, w, h from 0 to 1, centres) in every frame."""

    pixels: UInt8[Tensor, "b f c h w"]
    labels: Int[Tensor, "b n"]
    boxes: Float[Tensor, "b f n 4"]


@dataclass(frozen=True, eq=False)
class MovingSet:
    """Moving scenes in their parts, and the classes of their items by name."""

    name: str
    parts: Mapping[str, MovingBatch]
    labels: tuple[str, ...]
    split: str


def load_moving(spec: MovingDataSpec, only: Sequence[str] = PARTS) -> MovingSet:
    """Moving scenes of the items of a source; those judged on are made of items that were never learnt from.

    >>> found = load_moving(MovingDataSpec(train=4, validation=2, test=2))
    >>> found.parts["train"].pixels.shape, found.parts["train"].boxes.shape
    (torch.Size([4, 8, 1, 32, 32]), torch.Size([4, 8, 3, 4]))

    Raises `DataError` for items that are no smaller than the frame.
    """
    found = load_images(ImageDataSpec(spec.source, channels=1, test=0.1))
    if found.size >= spec.size:
        raise DataError(f"items of {found.size} pixels do not move in frames of {spec.size}: data.size of {3 * found.size} would work")
    counts = {"train": spec.train, "validation": spec.validation, "test": spec.test}
    parts = {
        part: moving(found.part(part), found.labels, spec, counts[part], torch.Generator().manual_seed(spec.seed * 1_000_003 + number))
        for number, part in enumerate(PARTS)
        if part in only
    }
    return MovingSet(f"moving scenes of {found.name}", parts, found.labels, f"made by seed {spec.seed} of items of {found.split}")


def moving(items: Pictures, labels: Sequence[str], spec: MovingDataSpec, count: int, generator: torch.Generator) -> MovingBatch:
    """So many moving scenes of the items."""
    if not len(items):
        raise DataError("there are no items to move")
    side, most = items.pixels.shape[-1], spec.items
    place = {label: i for i, label in enumerate(labels)}
    kinds = torch.tensor([place[label] for label in items.labels])
    many = torch.randint(min(2, most), most + 1, (count,), generator=generator)
    chosen = torch.randint(len(items), (count, most), generator=generator)
    there = torch.arange(most) < many[:, None]
    corners = bounced(spec, side, count, generator)
    shapes = items.pixels[chosen, 0] > DARK
    ground = torch.randint(GROUND, (count, 1, 1, 1), generator=generator)
    noise = torch.randint(0, 16, (count, spec.frames, spec.size, spec.size), generator=generator)
    pixels = (ground + noise).byte()
    boxes = torch.zeros(count, spec.frames, most, 4)
    for scene in range(count):
        for number in range(int(many[scene])):
            shape, item = shapes[scene, number], items.pixels[chosen[scene, number], 0]
            inside = around(shape) * side  # the box of what is seen of it, in pixels of its square
            for frame in range(spec.frames):
                left, top = (int(value) for value in corners[scene, frame, number])
                pixels[scene, frame, top : top + side, left : left + side][shape] = item[shape]
                boxes[scene, frame, number] = torch.stack([inside[0] + left, inside[1] + top, inside[2], inside[3]]) / spec.size
    return MovingBatch(pixels[:, :, None], torch.where(there, kinds[chosen], NONE), boxes)


def bounced(spec: MovingDataSpec, side: int, count: int, generator: torch.Generator) -> Int[Tensor, "b f n 2"]:
    """The left and top pixel of every item in every frame: straight on, and back at the edges.

    >>> at = bounced(MovingDataSpec(size=20), 8, 50, torch.Generator().manual_seed(0))
    >>> int(at.min()) >= 0, int(at.max()) <= 12
    (True, True)
    """
    free = spec.size - side
    begin = free * torch.rand(count, 1, spec.items, 2, generator=generator)
    speed = spec.speed * (2 * torch.rand(count, 1, spec.items, 2, generator=generator) - 1)
    way = begin + speed * torch.arange(spec.frames).view(1, -1, 1, 1)
    return (free - (way % (2 * free) - free).abs()).round().long()
