"""A picture as a subject: its units are square cells, and what is taken away becomes the mean colour, or a blur.

A transformer's cells are its patches, so that its attention can be looked into; of other models they are as large as the features behind
the last halving of the side, or an eighth of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, final

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor
from torch.nn.functional import avg_pool2d

from heedful.errors import UsageError
from heedful.explanations.faithfulness.truth import Truth
from heedful.explanations.subject import Grid
from heedful.manage.site import Site
from heedful.manage.still import still
from heedful.models.vision.patches import cut, joined
from heedful.models.vision.picture_model import PictureModel
from heedful.tasks.explained.modelled import Modelled
from heedful.tasks.explained.watching import Named, named
from heedful.train.pictures import numbers

CELLS: Final = 8  # on a side, where nothing else says how many
ROWS: Final = 64  # pictures of a batch
UNWATCHED: Final = "the model convolves, and no layer of it attends: quick, occlusion or measured would work"


@dataclass(frozen=True, eq=False)
class PictureReader(ABC):
    """A model of pictures and one answer of it; `side` is how many cells a row has."""

    model: PictureModel
    side: int

    @abstractmethod
    def log_probability(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, " b"]:
        """Of the answer, less that of the contrast where there is one."""

    @property
    def watchable(self) -> str | None:
        """Why its attention cannot be looked into; None where it can, its places the cells."""
        return UNWATCHED

    def read(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, " t"] | None:
        """How much the answer reads of each cell behind the last layer, where the model says so itself."""
        return None

    def named(self, site: Site) -> Named:
        """What readers call an attention layer, and which streams it is of."""
        return named(site)


@final
class Picture(Modelled):
    """The cells of a picture (c, h, w) in bytes, and one answer; see `Subject`."""

    replacements = ("baseline", "mask")
    grid: Grid

    def __init__(
        self,
        reader: PictureReader,
        pixels: UInt8[Tensor, "c h w"],
        answer: str,
        contrast: str | None = None,
        truth: Bool[Tensor, " n"] | None = None,
    ) -> None:
        size = reader.model.size
        if size % reader.side:
            raise UsageError(f"{reader.side} cells a side do not divide a picture of {size}: a divisor would work")
        self.reader, self.model, self.pixels, self.answer, self.contrast = reader, reader.model, pixels, answer, contrast
        self.cell = size // reader.side
        self.names = tuple(f"row {y + 1}, column {x + 1} " for y in range(reader.side) for x in range(reader.side))
        self.places = tuple((i,) for i in range(len(self.names)))
        self.watchable = self.no_attention = reader.watchable
        self.grid = Grid(pixels, reader.side, reader.side)
        self.truth = None if truth is None else Truth.of(truth)

    @cached_property
    def x(self) -> Float[Tensor, "1 c h w"]:
        """The picture as the model reads it."""
        return numbers(self.pixels[None].to(self.reader.model.mean.device)).to(self.reader.model.mean.dtype)

    @cached_property
    def features(self) -> Float[Tensor, "t n"]:
        """The numbers of each cell."""
        return cut(self.x, self.cell)[0]

    @cached_property
    def baseline(self) -> Float[Tensor, "t n"]:
        """The mean colour of the pictures that the model learnt from."""
        return cut(self.reader.model.mean.expand_as(self.x[0])[None], self.cell)[0]

    @cached_property
    def blurred(self) -> Float[Tensor, "t n"]:
        """The mean of what is around each pixel, a quarter of the side to each direction."""
        reach = max(1, self.reader.model.size // 4)
        return cut(avg_pool2d(self.x, 2 * reach + 1, 1, reach, count_include_pad=False), self.cell)[0]

    @property
    def at_once(self) -> int:
        """How many pictures a batch may have."""
        return ROWS

    @torch.no_grad()
    def scored(self, kept: Bool[Tensor, "s n"], replacement: str | None = None) -> Float[Tensor, " s"]:
        """The log-probability of the answer where only some of the cells are left."""
        way = replacement or self.replacements[0]
        if way not in self.replacements:
            raise UsageError(f"replacement {way!r}: pictures have baseline (the mean colour) and mask (a blur)")
        return self.of_gone(self.places_of(kept), self.baseline if way == "baseline" else self.blurred)

    def of_features(self, features: Float[Tensor, "b t n"]) -> Float[Tensor, " b"]:
        """The log-probability of the answer as a function of the cells."""
        with still(self.model):
            return self.reader.log_probability(joined(features, self.cell, self.reader.side))

    def named(self, site: Site) -> Named:
        """A layer as the reader calls it."""
        return self.reader.named(site)

    def told(self) -> Float[Tensor, " t"] | None:
        """What the model says that it reads."""
        return self.reader.read(self.x)

    def again(self, model: torch.nn.Module) -> Picture:
        """The same picture and answer under another model."""
        assert isinstance(model, PictureModel)
        truth = None if self.truth is None else self.truth.sure
        return Picture(replace(self.reader, model=model), self.pixels, self.answer, self.contrast, truth)


def side_of(model: PictureModel, halvings: int) -> int:
    """Cells on a side: those behind so many halvings, or eight, whichever are more, as long as they divide the picture."""
    wanted = max(CELLS, model.size // 2**halvings)
    return max(side for side in range(1, min(wanted, model.size) + 1) if model.size % side == 0)
