"""Scenes that move, and what a model that follows their items is made of. A field added later takes its default in older files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from heedful.spec.check import positive, require
from heedful.spec.vision import PictureShape


@dataclass(frozen=True)
class MovingDataSpec:
    """Real items on a dim ground, each at a speed of its own, turning back at the edges, before and behind each other.

    `source` names the items (any source of grey pictures with classes), `size` is the side of a frame in pixels, `items` the most that
    move (two at least where it is above one), `frames` how many frames are seen, `speed` the most pixels an item moves from one to the
    next. `train`, `validation` and `test` count scenes; their items come from the same parts of the source.

    >>> MovingDataSpec(items=3).frames
    8
    """

    source: str = "digits"
    size: int = 32
    items: int = 3
    frames: int = 8
    speed: float = 3.0
    train: int = 2000
    validation: int = 200
    test: int = 300
    seed: int = 0
    kind: Literal["moving"] = "moving"

    def __post_init__(self) -> None:
        positive({"size": self.size, "items": self.items, "speed": self.speed, "train": self.train})
        positive({"validation": self.validation, "test": self.test})
        require(self.frames > 1, "frames", f"wants two frames or more, found {self.frames}")
        require(self.seed >= 0, "seed", f"must not be negative, found {self.seed}")


@dataclass(frozen=True)
class TrackerSpec(PictureShape):
    """Boxes followed from frame to frame by queries that remember what they follow (Meinhardt et al. 2022, arXiv 2101.02702, §3).

    `stem` are the channels of convolutions that halve the side, `layers` look at each frame in turn.

    >>> TrackerSpec().layers
    2
    """

    kind: Literal["tracker"] = "tracker"
    stem: tuple[int, ...] = (32, 64)
    width: int = 64
    layers: int = 2
    heads: int = 4
    dropout: float = 0.0

    def __post_init__(self) -> None:
        positive({"width": self.width, "layers": self.layers, "heads": self.heads})
        positive({f"stem.{i}": channels for i, channels in enumerate(self.stem)})
        require(self.width % self.heads == 0, "heads", f"{self.heads} heads do not divide width {self.width}: choose a divisor")
        require(self.width % 4 == 0, "width", f"must be a multiple of 4 for places in two dimensions, found {self.width}")
        fine = 2 ** len(self.stem)
        require(self.size % fine == 0, "stem", f"{len(self.stem)} convolutions halve the side each: {self.size} is no multiple of {fine}")
        self.checked(self.dropout)
