"""The handwritten digits that scikit-learn carries: 1,797 grey pictures of 8 x 8 (Alpaydin & Kaynak 1998)."""

from __future__ import annotations

from typing import Final

import torch

from heedful.data.images.pictures import Pictures, PictureSet, empty
from heedful.errors import MissingExtra

EMBEDDED: Final = "digits"
FOLDS: Final = 10
NAMES: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def digits() -> PictureSet:
    """All of them, every tenth of each class to test.

    >>> found = digits()
    >>> found.size, len(found.part("train")), len(found.part("test"))
    (8, 1612, 185)
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingExtra("scikit-learn", "vision", "the embedded digits") from None
    values, numbers = load_digits(return_X_y=True)
    pixels = (torch.from_numpy(values).reshape(-1, 1, 8, 8) * (255 / 16)).round().to(torch.uint8)
    whole = Pictures(pixels, tuple(NAMES[int(number)] for number in numbers))
    train, test = folded(whole)
    return PictureSet(
        EMBEDDED, {"train": train, "validation": empty(whole), "test": test}, "every tenth picture of each class to test", NAMES
    )


def folded(pictures: Pictures) -> tuple[Pictures, Pictures]:
    """Every tenth picture of each class in the second part, the others in the first."""
    seen: dict[str, int] = {}
    places: tuple[list[int], list[int]] = ([], [])
    for i, label in enumerate(pictures.labels):
        seen[label] = seen.get(label, -1) + 1
        places[seen[label] % FOLDS == 0].append(i)
    return pictures.picked(places[0]), pictures.picked(places[1])
