"""Which pictures are read, how large they are made, and how they are varied while learning."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from heedful.spec.check import positive, require, within


@dataclass(frozen=True)
class AugmentSpec:
    """How a picture is varied each time it is learnt from; all sizes are pixels, none of it happens when a model is judged.

    `crop` moves it by up to so many pixels (its edges mirrored), `flip` mirrors every other one left to right, `cutout` paints a
    square of that side in the picture's mean, `mixup` is the alpha of the Beta distribution that two pictures and their classes are
    mixed by (0: none), `colour` changes brightness, contrast and saturation by up to that share.

    >>> AugmentSpec(crop=2, flip=True).cutout
    0
    """

    crop: int = 0
    flip: bool = False
    cutout: int = 0
    mixup: float = 0.0
    colour: float = 0.0

    def __post_init__(self) -> None:
        require(self.crop >= 0, "crop", f"must not be negative, found {self.crop}")
        require(self.cutout >= 0, "cutout", f"must not be negative, found {self.cutout}")
        require(self.mixup >= 0, "mixup", f"must not be negative, found {self.mixup:g}")
        within({"colour": self.colour}, 0.0, 1.0)


@dataclass(frozen=True)
class ImageDataSpec:
    """Pictures with a class each.

    `source` is a folder with a folder of pictures a class (with train, validation and test folders above them, or without), a csv,
    tsv, jsonl or parquet table of paths and classes, a tar of either, a set under $HEEDFUL_DATA (fashion-mnist, cifar10-jpeg, or any
    folder there), hf:NAME, or digits, which scikit-learn carries. `size` is the side in pixels that all are brought to (0: their own
    where all are alike and square, 32 otherwise), `channels` 1 (grey) or 3 (0: grey where all are). `validation` and `test` are the
    shares of each class cut off where a source has no such part; `learnt` is the share of what is left of each class that is learnt from.
    `image` and `label` name the columns of a table.

    >>> ImageDataSpec("photos", size=64).validation
    0.1
    """

    source: str = "digits"
    size: int = 0
    channels: int = 0
    validation: float = 0.1
    test: float = 0.0
    learnt: float = 1.0
    image: str | None = None
    label: str | None = None
    augment: AugmentSpec = field(default_factory=AugmentSpec)
    kind: Literal["images"] = "images"

    def __post_init__(self) -> None:
        require(self.size >= 0, "size", f"must not be negative, found {self.size}")
        require(self.channels in (0, 1, 3), "channels", f"must be 1 (grey), 3 (colour) or 0 (as the pictures are), found {self.channels}")
        within({"validation": self.validation, "test": self.test}, 0.0, 1.0)
        require(self.validation > 0, "validation", "must be above 0: a run is judged on pictures it has not seen")
        share = self.validation + self.test
        require(share < 1, "validation", f"validation and test leave nothing to train on: {share:g} of the pictures together")
        require(0 < self.learnt <= 1, "learnt", f"must lie in (0, 1], found {self.learnt:g}")


@dataclass(frozen=True)
class SceneDataSpec:
    """Scenes made by pasting real items: pictures whose masks and boxes are known.

    `source` names the items (fashion-mnist, digits or any source of grey pictures with classes), `size` is the side of a scene in
    pixels, `items` the most that stand in one (one at least); an item is hidden by later ones for at most `hidden` of it. `train`,
    `validation` and `test` count scenes; their items come from the same parts of the source. `smaller` and `larger` bound an item's side as
    shares of its own.

    >>> SceneDataSpec(items=3).size
    64
    """

    source: str = "digits"
    size: int = 64
    items: int = 4
    hidden: float = 0.4
    smaller: float = 0.75
    larger: float = 1.25
    train: int = 4000
    validation: int = 300
    test: int = 500
    seed: int = 0
    kind: Literal["scenes"] = "scenes"

    def __post_init__(self) -> None:
        positive({"size": self.size, "items": self.items, "smaller": self.smaller, "train": self.train})
        positive({"validation": self.validation, "test": self.test})
        within({"hidden": self.hidden}, 0.0, 1.0)
        require(self.larger >= self.smaller, "larger", f"must not be below smaller ({self.smaller:g}), found {self.larger:g}")
        require(self.seed >= 0, "seed", f"must not be negative, found {self.seed}")
