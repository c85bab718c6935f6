"""Sources with a target each, in parts that are learnt from and parts that are only judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from heedful.errors import DataError

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Pairs:
    """Sources, and the target of each."""

    sources: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.sources)

    def picked(self, places: Sequence[int]) -> Pairs:
        """Those at `places`, in that order."""
        return Pairs(tuple(self.sources[i] for i in places), tuple(self.targets[i] for i in places))

    def lowered(self) -> Pairs:
        """The same in small letters."""
        return Pairs(tuple(text.lower() for text in self.sources), tuple(text.lower() for text in self.targets))


@dataclass(frozen=True)
class PairCorpus:
    """A set of pairs in its parts; `split` says in words where the parts come from."""

    name: str
    parts: Mapping[str, Pairs]
    split: str

    def part(self, name: str) -> Pairs:
        """One part by its name, or all of them as "whole"."""
        if name != "whole":
            return self.parts[name]
        every = [self.parts[part] for part in PARTS]
        return Pairs(tuple(text for part in every for text in part.sources), tuple(text for part in every for text in part.targets))


def cut(pairs: Pairs, share: float, seed: int = 0) -> tuple[Pairs, Pairs]:
    """What stays and what is cut off: `share` of the pairs, one at least, drawn by `seed`.

    >>> stays, off = cut(Pairs(tuple("abcdefgh"), tuple("01234567")), 0.25)
    >>> len(stays), len(off), set(stays.sources) & set(off.sources)
    (6, 2, set())

    Raises `DataError` for fewer than two pairs, which cannot be in both.
    """
    if len(pairs) < 2:
        raise DataError(f"{len(pairs)} pair of texts: two or more are needed, one to learn from and one to judge on")
    drawn = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(seed)).tolist()
    count = min(max(1, round(share * len(pairs))), len(pairs) - 1)
    return pairs.picked(sorted(drawn[count:])), pairs.picked(sorted(drawn[:count]))
