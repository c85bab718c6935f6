"""Scenes made by pasting real items on a dim ground, so that the class of every pixel and the box of every item is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from heedful.data.images.batches import SceneBatch
from heedful.data.images.pictures import Pictures
from heedful.data.images.sources import load_images
from heedful.errors import DataError
from heedful.spec.images import ImageDataSpec, SceneDataSpec

DARK: Final = 24  # a pixel of an item is what is lighter
GROUND: Final = 64  # the lightest ground
TRIES: Final = 20  # to find a place that hides too little
SIDES: Final = 5  # different sizes of items
PARTS: Final = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class SceneSet:
    """Scenes in their parts, and the classes of their items by name."""

    name: str
    parts: Mapping[str, SceneBatch]
    labels: tuple[str, ...]
    split: str


class Pasted(NamedTuple):
    """One scene as it is made: its pixels, the item (from 1) seen at each, and how many pixels each item has."""

    pixels: UInt8[Tensor, "h w"]
    owner: Int[Tensor, "h w"]
    whole: list[int]


def load_scenes(spec: SceneDataSpec, only: Sequence[str] = PARTS) -> SceneSet:
    """Scenes whose items come from the parts of the source: those judged on are made of items that were never learnt from.

    The parts named in `only` are made.

    >>> found = load_scenes(SceneDataSpec(size=24, items=2, train=4, validation=2, test=2))
    >>> found.parts["train"].pixels.shape, found.parts["train"].boxes.shape
    (torch.Size([4, 1, 24, 24]), torch.Size([4, 2, 4]))

    Raises `DataError` for items that are no smaller than the scene, or a source without test pictures.
    """
    found = load_images(ImageDataSpec(spec.source, channels=1, test=0.1))
    largest = round(found.size * spec.larger)
    if largest >= spec.size:
        raise DataError(
            f"items of {found.size} pixels, up to {spec.larger:g} times as large, do not fit scenes of {spec.size}: "
            f"data.size above {largest} would work"
        )
    place = {label: i for i, label in enumerate(found.labels)}
    counts = {"train": spec.train, "validation": spec.validation, "test": spec.test}
    parts = {
        part: scenes(found.part(part), place, spec, counts[part], torch.Generator().manual_seed(spec.seed * 1_000_003 + number))
        for number, part in enumerate(PARTS)
        if part in only
    }
    return SceneSet(f"scenes of {found.name}", parts, found.labels, f"made by seed {spec.seed} of items of {found.split}")


def scenes(items: Pictures, place: Mapping[str, int], spec: SceneDataSpec, count: int, generator: torch.Generator) -> SceneBatch:
    """So many scenes of the items."""
    if not len(items):
        raise DataError("there are no items to paste")
    base = items.pixels.shape[-1]
    sides = torch.linspace(base * spec.smaller, base * spec.larger, SIDES).round().long().tolist()
    kinds = torch.tensor([place[label] for label in items.labels])
    pixels = torch.zeros(count, 1, spec.size, spec.size, dtype=torch.uint8)
    labels = torch.zeros(count, spec.size, spec.size, dtype=torch.long)
    classes = torch.full((count, spec.items), -1)
    boxes = torch.zeros(count, spec.items, 4)
    for i in range(count):
        many = int(torch.randint(1, spec.items + 1, (1,), generator=generator))
        chosen = torch.randint(len(items), (many,), generator=generator)
        made = [sized(items.pixels[item], sides[int(torch.randint(SIDES, (1,), generator=generator))]) for item in chosen.tolist()]
        scene = pasted(made, spec, generator)
        pixels[i, 0] = scene.pixels
        for number in range(many):
            seen = scene.owner == number + 1
            if seen.any():
                labels[i][seen] = kinds[chosen[number]] + 1
                classes[i, number], boxes[i, number] = kinds[chosen[number]], around(seen)
    return SceneBatch(pixels, labels, classes, boxes)


def sized(item: UInt8[Tensor, "1 h w"], side: int) -> UInt8[Tensor, "y x"]:
    """An item at another size."""
    if item.shape[-1] == side:
        return item[0]
    return interpolate(item[None].float(), (side, side), mode="bilinear", align_corners=False)[0, 0].round().byte()


def pasted(items: list[UInt8[Tensor, "h w"]], spec: SceneDataSpec, generator: torch.Generator) -> Pasted:
    """The items on a ground, one after the other, each where it hides little of those before; one that finds no place is left out."""
    ground = int(torch.randint(GROUND, (1,), generator=generator))
    noise = torch.randint(0, 16, (spec.size, spec.size), generator=generator)
    scene = Pasted((ground + noise).byte(), torch.zeros(spec.size, spec.size, dtype=torch.long), [])
    for number, item in enumerate(items, start=1):
        shape = item > DARK
        scene.whole.append(int(shape.sum()))
        side = item.shape[-1]
        for _ in range(TRIES):
            y, x = torch.randint(0, spec.size - side + 1, (2,), generator=generator).tolist()
            if shape.any() and fits(scene, shape, (y, x), spec.hidden):
                window = (slice(y, y + side), slice(x, x + side))
                scene.pixels[window][shape] = item[shape]
                scene.owner[window][shape] = number
                break
    return scene


def fits(scene: Pasted, shape: Bool[Tensor, "h w"], corner: tuple[int, int], hidden: float) -> bool:
    """Whether every item before stays visible enough under a shape at a corner."""
    (y, x), (h, w) = corner, shape.shape
    under = scene.owner[y : y + h, x : x + w][shape]
    for number in set(under.tolist()) - {0}:
        left = int((scene.owner == number).sum()) - int((under == number).sum())
        if left < (1.0 - hidden) * scene.whole[number - 1]:
            return False
    return True


def around(seen: Bool[Tensor, "h w"]) -> Float[Tensor, " 4"]:
    """The box around what is seen: its centre, width and height as shares of the sides.

    >>> around(torch.tensor([[False, True], [False, True]])).tolist()
    [0.75, 0.5, 0.5, 1.0]
    """
    rows, columns = seen.any(1).nonzero()[:, 0], seen.any(0).nonzero()[:, 0]
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    height, width = seen.shape
    return torch.stack([(left + right) / 2 / width, (top + bottom) / 2 / height, (right - left) / width, (bottom - top) / height])
