"""The pointing test of a classifier: two shrunken pictures on one ground, and does a map fall on the one whose class was said?

Zhang et al. 2018 (arXiv 1608.00507, §4.2), on pictures put together from parts as in Böhle et al. 2021 (arXiv 2104.00032, §3.2).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final, NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from heedful.data.images.pictures import Pictures
from heedful.models.vision.build import PictureClassifier
from heedful.tasks.image.classes.maps import on_features, on_pixels, rollout
from heedful.tasks.image.classes.opened import watched
from heedful.tasks.image.loading import LoadedPictures
from heedful.tasks.task import Listing
from heedful.train.pictures import numbers

SCENES: Final = 200
QUARTERS: Final = ((0, 0), (0, 1), (1, 0), (1, 1))


class Pasted(NamedTuple):
    """A picture of two parts, their classes, and the quarter (row, column) that each stands in."""

    pixels: UInt8[Tensor, "c h w"]
    labels: tuple[str, str]
    quarters: tuple[tuple[int, int], tuple[int, int]]


def pasted(pictures: Pictures, count: int, seed: int = 0) -> list[Pasted]:
    """Pairs of pictures of different classes, each at half its side in a quarter of its own, the rest as dark as their darkest.

    >>> two = Pictures(torch.stack([torch.full((1, 4, 4), 9), torch.full((1, 4, 4), 200)]).byte(), ("a", "b"))
    >>> sorted(pasted(two, 1)[0].labels), sorted(pasted(two, 1)[0].pixels.flatten().unique().tolist())
    (['a', 'b'], [9, 200])
    """
    generator = torch.Generator().manual_seed(seed)
    side = pictures.pixels.shape[-1]
    half, found = side // 2, list[Pasted]()
    while len(found) < count:
        one, other = torch.randint(len(pictures), (2,), generator=generator).tolist()
        if pictures.labels[one] == pictures.labels[other]:
            continue
        small = interpolate(pictures.pixels[[one, other]].float(), (half, half), mode="bilinear", antialias=True, align_corners=False)
        first, second = (QUARTERS[i] for i in torch.randperm(4, generator=generator)[:2].tolist())
        canvas = torch.full_like(pictures.pixels[0], int(pictures.pixels[[one, other]].min()))
        for part, (row, column) in zip(small.round().clamp(0, 255).byte(), (first, second), strict=True):
            top, left = row * (side - half), column * (side - half)
            canvas[:, top : top + half, left : left + half] = part
        found.append(Pasted(canvas, (pictures.labels[one], pictures.labels[other]), (first, second)))
    return found


def pointing(loaded: LoadedPictures[PictureClassifier], pictures: Pictures) -> Listing:
    """For every map the share of pictures in which it is largest on the part whose class was said; others are left out."""
    hits: dict[str, list[bool]] = defaultdict(list)
    labels = loaded.model.labels
    for each in pasted(pictures, SCENES):
        x = numbers(each.pixels[None].to(loaded.device))
        with torch.no_grad(), watched(loaded.model) as openings:
            output = loaded.model(x, trace=True)
        number = int(output.logits[0].argmax())
        if labels[number] not in each.labels:
            continue
        maps = {"features": on_features(loaded.model, x, number), "pixels": on_pixels(loaded.model, x, number)}
        if output.traces and output.pooled is not None:
            row = rollout(output.traces, output.pooled[0])
            maps["rollout"] = row.view(round(len(row) ** 0.5), -1)
        maps |= {f"gate {opening.name}": opening.places for opening in openings if opening.places is not None}
        wanted = each.quarters[each.labels.index(labels[number])]
        for name, found in maps.items():
            hits[name].append(peak(found) == wanted)
    rows = tuple((name, sum(row) / len(row), 0.25, len(row)) for name, row in hits.items())
    return Listing("pointing at the part whose class was said", ("map", "on it", "by chance", "pictures"), rows)


def peak(found: Float[Tensor, "y x"]) -> tuple[int, int]:
    """The quarter that a map is largest in."""
    height, width = found.shape
    row, column = divmod(int(found.argmax()), width)
    return int(2 * row >= height), int(2 * column >= width)
