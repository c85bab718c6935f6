"""Texts divided class by class: one fold in so many to test, or a share of them to learn from."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from heedful.data.labelled.texts import LabelledCorpus, Texts, by_class
from heedful.errors import DataError


def fold_of(corpus: LabelledCorpus, folds: int, fold: int) -> LabelledCorpus:
    """All texts put together, and of each class every `folds`th from number `fold` on to test, the others to learn from.

    >>> texts = Texts(("a", "b", "c", "d"), tuple("xyxy"))
    >>> corpus = LabelledCorpus("letters", {"train": texts, "validation": Texts(), "test": Texts()}, "")
    >>> [fold_of(corpus, 2, fold).part("test").texts for fold in (0, 1)]
    [('a', 'b'), ('c', 'd')]

    Raises `DataError` for a class that has fewer texts than there are folds.
    """
    texts = corpus.part("whole")
    rare = sorted(name for name, places in by_class(texts).items() if len(places) < folds)
    if rare:
        raise DataError(f"{corpus.name}: fewer than {folds} texts of {', '.join(rare[:3])}: fewer folds would work")
    tested = {place for places in by_class(texts).values() for place in places[fold::folds]}
    parts = {"train": picked(texts, tested, inside=False), "validation": Texts(), "test": picked(texts, tested, inside=True)}
    return LabelledCorpus(corpus.name, parts, f"fold {fold} of {folds}, every {folds}th text of each class")


def picked(texts: Texts, places: set[int], inside: bool) -> Texts:
    """The texts at the places, or the others."""
    return texts.picked([i for i in range(len(texts)) if (i in places) == inside])


def share_of(texts: Texts, share: float, seed: int = 0) -> Texts:
    """A share of each class, two texts at least; a larger share holds every text of a smaller one.

    >>> len(share_of(Texts(tuple("abcdefgh"), tuple("01010101")), 0.5))
    4
    """
    generator = torch.Generator().manual_seed(seed)
    kept: list[int] = []
    for _, places in sorted(by_class(texts).items()):
        order: Sequence[int] = torch.randperm(len(places), generator=generator).tolist()
        kept += [places[i] for i in order[: max(min(2, len(places)), round(share * len(places)))]]
    return texts.picked(sorted(kept))
