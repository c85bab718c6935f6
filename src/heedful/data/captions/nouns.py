"""What a class is called in a caption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

# Four of Fashion-MNIST's classes are shirts to most eyes: telling them apart is the task image's own matter.
FASHION: Final[Mapping[str, str]] = {
    "T-shirt/top": "shirt",
    "Pullover": "shirt",
    "Coat": "shirt",
    "Shirt": "shirt",
    "Trouser": "trousers",
    "Dress": "dress",
    "Sandal": "sandal",
    "Sneaker": "sneaker",
    "Ankle boot": "boot",
    "Bag": "bag",
}


def nouns_of(labels: Sequence[str]) -> dict[str, str]:
    """The noun of each class: a word of its own, in small letters, unless Fashion-MNIST's classes are asked for.

    >>> nouns_of(("Cat", "ice cream"))
    {'Cat': 'cat', 'ice cream': 'ice_cream'}
    """
    if set(labels) <= set(FASHION):
        return {label: FASHION[label] for label in labels}
    return {label: "_".join(label.lower().replace("/", " ").split()) for label in labels}
