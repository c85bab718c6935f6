"""Texts with a class each, in parts that are learnt from and parts that are only judged on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from heedful.errors import DataError

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Texts:
    """Texts, and the name of the class of each."""

    texts: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.texts)

    def picked(self, places: Sequence[int]) -> Texts:
        """Those at `places`, in that order."""
        return Texts(tuple(self.texts[i] for i in places), tuple(self.labels[i] for i in places))


@dataclass(frozen=True)
class LabelledCorpus:
    """A set of texts in its parts; `split` says in words where the parts come from."""

    name: str
    parts: Mapping[str, Texts]
    split: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of the training part: numbers in their order, names in the alphabet's."""
        return tuple(
            sorted(set(self.parts["train"].labels), key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name))
        )

    def part(self, name: str) -> Texts:
        """One part by its name, or all of them as "whole"."""
        if name != "whole":
            return self.parts[name]
        every = [self.parts[part] for part in PARTS]
        return Texts(tuple(text for part in every for text in part.texts), tuple(label for part in every for label in part.labels))


def cut(texts: Texts, share: float, seed: int = 0) -> tuple[Texts, Texts]:
    """What stays and what is cut off: `share` of each class, one text at least, drawn by `seed`.

    >>> stays, off = cut(Texts(tuple("abcdefgh"), tuple("01010101")), 0.25)
    >>> len(stays), sorted(off.labels)
    (6, ['0', '1'])

    Raises `DataError` for a class of a single text, which cannot be in both.
    """
    places = by_class(texts)
    generator = torch.Generator().manual_seed(seed)
    off: list[int] = []
    for label in sorted(places):
        mine = places[label]
        if len(mine) < 2:
            raise DataError(f"the class {label!r} has one text: two or more are needed, one to learn from and one to judge on")
        drawn = torch.randperm(len(mine), generator=generator).tolist()
        off += [mine[i] for i in drawn[: min(max(1, round(share * len(mine))), len(mine) - 1)]]
    gone = set(off)
    return texts.picked([i for i in range(len(texts)) if i not in gone]), texts.picked(sorted(off))


def by_class(texts: Texts) -> dict[str, list[int]]:
    """The places of the texts of each class."""
    places: dict[str, list[int]] = defaultdict(list)
    for i, label in enumerate(texts.labels):
        places[label].append(i)
    return dict(places)


def balance(texts: Texts) -> str:
    """The least and the most frequent class, in words."""
    counts = Counter(texts.labels).most_common()
    (most, many), (least, few) = counts[0], counts[-1]
    return f"{len(counts)} classes, from {few:,} ({least}) to {many:,} ({most}) texts"
