"""Pictures with a class each, in parts that are learnt from and parts that are only judged on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
from jaxtyping import UInt8
from torch import Tensor

from heedful.errors import DataError

PARTS: Final = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures of one size, in bytes, and the name of the class of each; `names` says where each came from, where that is known."""

    pixels: UInt8[Tensor, "n c h w"]
    labels: tuple[str, ...]
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    def picked(self, places: Sequence[int]) -> Pictures:
        """Those at `places`, in that order."""
        names = tuple(self.names[i] for i in places) if self.names else ()
        return Pictures(self.pixels[torch.tensor(places, dtype=torch.long)], tuple(self.labels[i] for i in places), names)

    def of(self, channels: int) -> Pictures:
        """The same in so many channels: grey ones thrice, or coloured ones as grey as they look (ITU-R 601)."""
        if self.pixels.shape[1] == channels:
            return self
        return Pictures(channelled(self.pixels, channels), self.labels, self.names)


def channelled(pixels: UInt8[Tensor, "n c h w"], channels: int) -> UInt8[Tensor, "n d h w"]:
    """Grey to colour, or colour to grey."""
    if pixels.shape[1] == channels:
        return pixels
    if channels == 3:
        return pixels.expand(-1, 3, -1, -1).contiguous()
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    pieces = [(piece * weights).sum(1, keepdim=True).round().to(torch.uint8) for piece in torch.split(pixels, 4096)]
    return torch.cat(pieces) if pieces else pixels[:, :1]


@dataclass(frozen=True, eq=False)
class PictureSet:
    """A set of pictures in its parts; `split` says in words where the parts come from, `order` how its classes are ordered, if it says."""

    name: str
    parts: Mapping[str, Pictures]
    split: str
    order: tuple[str, ...] = field(default=())

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of the training part: in the set's own order, or numbers in theirs and names in the alphabet's."""
        found = set(self.parts["train"].labels)
        if self.order:
            return tuple(label for label in self.order if label in found)
        return tuple(sorted(found, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name)))

    @property
    def size(self) -> int:
        """The side in pixels."""
        return int(self.parts["train"].pixels.shape[-1])

    @property
    def channels(self) -> int:
        """1 or 3."""
        return int(self.parts["train"].pixels.shape[1])

    def part(self, name: str) -> Pictures:
        """One part by its name, or all of them as "whole"."""
        if name != "whole":
            return self.parts[name]
        found = [self.parts[part] for part in PARTS]
        names = tuple(name for part in found for name in part.names)
        labels = tuple(label for part in found for label in part.labels)
        return Pictures(torch.cat([part.pixels for part in found]), labels, names if len(names) == len(labels) else ())


def empty(like: Pictures) -> Pictures:
    """No pictures, of the size and channels of others."""
    return Pictures(like.pixels[:0], ())


def cut(pictures: Pictures, share: float, seed: int = 0) -> tuple[Pictures, Pictures]:
    """What stays and what is cut off: `share` of each class, one picture at least, drawn by `seed`.

    >>> stays, off = cut(Pictures(torch.zeros(8, 1, 2, 2, dtype=torch.uint8), tuple("01010101")), 0.25)
    >>> len(stays), sorted(off.labels)
    (6, ['0', '1'])

    Raises `DataError` for a class of a single picture, which cannot be in both.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for i, label in enumerate(pictures.labels):
        places[label].append(i)
    generator = torch.Generator().manual_seed(seed)
    off: list[int] = []
    for label in sorted(places):
        mine = places[label]
        if len(mine) < 2:
            raise DataError(f"the class {label!r} has one picture: two or more are needed, one to learn from and one to judge on")
        drawn = torch.randperm(len(mine), generator=generator).tolist()
        off += [mine[i] for i in drawn[: min(max(1, round(share * len(mine))), len(mine) - 1)]]
    gone = set(off)
    return pictures.picked([i for i in range(len(pictures)) if i not in gone]), pictures.picked(sorted(off))


def balance(pictures: Pictures) -> str:
    """The least and the most frequent class, in words."""
    counts = Counter(pictures.labels).most_common()
    (most, many), (least, few) = counts[0], counts[-1]
    return f"{len(counts)} classes, from {few:,} ({least}) to {many:,} ({most}) pictures"
