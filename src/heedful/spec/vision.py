"""What a model of pictures is made of. A field added later takes its default in older files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from heedful.spec.attention import AttentionSpec, MechanismSpec
from heedful.spec.check import one_of, positive, require, within
from heedful.spec.classifier import EncoderSpec, Pooling
from heedful.spec.model import Mlp

Grid = Literal["learned", "sinusoidal", "none"]
Pool = Literal["max", "mean"]


@dataclass(frozen=True)
class PictureShape:
    """What every model of pictures knows of them: the classes by name, the side in pixels, and the channels (0: those of the data)."""

    labels: tuple[str, ...] = ()
    size: int = 0
    channels: int = 0

    @property
    def vocabulary(self) -> int:
        """Pictures have no tokens."""
        return 0

    @property
    def context(self) -> int:
        """How many places are read."""
        return self.size**2

    def checked(self, dropout: float) -> None:
        """What every model of pictures checks."""
        require(self.size >= 0, "size", f"must not be negative, found {self.size}")
        require(self.channels in (0, 1, 3), "channels", f"must be 1, 3 or 0 (those of the data), found {self.channels}")
        require(len(set(self.labels)) == len(self.labels), "labels", "must be told apart: one stands there twice")
        require(len(self.labels) != 1, "labels", f"wants two classes or more (none: those of the data), found {len(self.labels)}")
        within({"dropout": dropout}, 0.0, 1.0)


@dataclass(frozen=True)
class ConvolutionalSpec(PictureShape):
    """Convolutions in stages, each at half the side of the one before, and the largest (or mean) value of each channel at the end.

    `stem` channels before the first stage; a stage has as many channels as `widths` says: one convolution and a pooling, then
    `convolutions` more. `gate` (se, eca, cbam, lpw, laa, attention_gate; none) stands at the end of every stage. `mirrored`: an answer is
    the mean of the scores of the picture and of its mirror image, for twice the operations; learning stays as it is.

    >>> ConvolutionalSpec(gate=MechanismSpec("se")).widths
    (32, 64, 64)
    """

    kind: Literal["cnn"] = "cnn"
    stem: int = 16
    widths: tuple[int, ...] = (32, 64, 64)
    convolutions: int = 1
    gate: MechanismSpec | None = None
    pooling: Pool = "max"
    dropout: float = 0.0
    mirrored: bool = False

    def __post_init__(self) -> None:
        stages(self.stem, self.widths, self.convolutions, self.pooling)
        self.checked(self.dropout)


@dataclass(frozen=True)
class ResidualSpec(PictureShape):
    """The same stages, in which the further convolutions stand, two and two, beside the stream (He et al. 2016, arXiv 1512.03385).

    `blocks` a stage of two convolutions each; `gate` stands on every block's branch, as squeeze and excitation does in its paper;
    `mirrored` as in `ConvolutionalSpec`.

    >>> ResidualSpec().blocks
    1
    """

    kind: Literal["residual"] = "residual"
    stem: int = 16
    widths: tuple[int, ...] = (32, 64, 64)
    blocks: int = 1
    gate: MechanismSpec | None = None
    pooling: Pool = "max"
    dropout: float = 0.0
    mirrored: bool = False

    def __post_init__(self) -> None:
        stages(self.stem, self.widths, self.blocks, self.pooling)
        self.checked(self.dropout)


@dataclass(frozen=True)
class PatchSpec(PictureShape):
    """A picture as patches, and a transformer over them.

    `patch` is the side of a patch in pixels, `stem` are the channels of convolutions that halve the side before it is cut into patches
    (none: the pixels are cut; some: a hybrid). `grid` are places in two dimensions, added to the patches: a learned vector a row and a
    column, or waves; `attention.position` may add any scheme of the catalogue over patches in reading order.
    """

    patch: int = 4
    stem: tuple[int, ...] = ()
    grid: Grid = "learned"
    width: int = 64
    layers: int = 4
    heads: int = 4
    mlp: Mlp = "gelu"
    dropout: float = 0.0
    attention: AttentionSpec = field(default_factory=lambda: AttentionSpec(position=None))
    gate: MechanismSpec | None = None

    def __post_init__(self) -> None:
        positive({"patch": self.patch, "width": self.width, "layers": self.layers, "heads": self.heads})
        positive({f"stem.{i}": channels for i, channels in enumerate(self.stem)})
        one_of("grid", self.grid, get_args(Grid))
        require(self.width % self.heads == 0, "heads", f"{self.heads} heads do not divide width {self.width}: choose a divisor")
        require(
            self.grid == "none" or self.width % 4 == 0, "width", f"must be a multiple of 4 for places in two dimensions, found {self.width}"
        )
        left = self.size % self.pixels == 0
        require(left, "patch", f"{self.pixels} pixels a patch do not divide pictures of {self.size}: data.size a multiple would work")
        self.checked(self.dropout)

    @property
    def pixels(self) -> int:
        """The side of a patch in pixels of the picture."""
        return int(self.patch * 2 ** len(self.stem))

    @property
    def side(self) -> int:
        """Patches on a side."""
        return self.size // self.pixels

    @property
    def context(self) -> int:
        """How many patches are read."""
        return max(1, self.side**2)

    def encoder(self, pooling: Pooling = "mean") -> EncoderSpec:
        """The transformer over the patches, as the encoder of a text of as many tokens."""
        return EncoderSpec(
            labels=self.labels,
            context=self.context,
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            mlp=self.mlp,
            dropout=self.dropout,
            pooling=pooling,
            attention=self.attention,
            gate=self.gate,
        )


@dataclass(frozen=True)
class VisionTransformerSpec(PatchSpec):
    """A transformer over patches that says a class (Dosovitskiy et al. 2021, arXiv 2010.11929); with a stem, a hybrid.

    >>> VisionTransformerSpec(size=28, patch=4).context
    49
    """

    kind: Literal["vit"] = "vit"
    pooling: Pooling = "mean"
    mirrored: bool = False


@dataclass(frozen=True)
class FillerSpec(PatchSpec):
    """A transformer that fills in patches which were left out (He et al. 2022, arXiv 2111.06377): `left_out` is their share.

    A shallow decoder of `decoder` layers reads the patches that were seen and an empty one for each that was not.

    >>> FillerSpec(size=28).left_out
    0.6
    """

    kind: Literal["filler"] = "filler"
    left_out: float = 0.6
    decoder: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        positive({"decoder": self.decoder})
        require(0 < self.left_out < 1, "left_out", f"must lie between 0 and 1, found {self.left_out:g}")


@dataclass(frozen=True)
class UNetSpec(PictureShape):
    """Convolutions down to a coarse grid and up again, for a class a pixel (Ronneberger et al. 2015, arXiv 1505.04597).

    `widths` are the channels of each level, finest first; `gated` lets the coarser level say which places of the finer one pass
    (Oktay et al. 2018, arXiv 1804.03999).

    >>> UNetSpec().gated
    True
    """

    kind: Literal["unet"] = "unet"
    widths: tuple[int, ...] = (16, 32, 64)
    gated: bool = True
    dropout: float = 0.0

    def __post_init__(self) -> None:
        positive({f"widths.{i}": width for i, width in enumerate(self.widths)})
        require(len(self.widths) > 1, "widths", f"wants two levels or more, found {len(self.widths)}")
        fine = 2 ** (len(self.widths) - 1)
        require(
            self.size % fine == 0,
            "widths",
            f"{len(self.widths)} levels halve the side {len(self.widths) - 1} times: {self.size} is no multiple of {fine}",
        )
        self.checked(self.dropout)


@dataclass(frozen=True)
class DetectorSpec(PictureShape):
    """Boxes by attention from a few queries to the picture, each box matched to one item (Carion et al. 2020, arXiv 2005.12872).

    `stem` are the channels of convolutions that halve the side, each before `blocks` residual blocks of two; `queries` are the most
    boxes that are found, `layers` those of the encoder and of the decoder.

    >>> DetectorSpec().queries
    8
    """

    kind: Literal["detector"] = "detector"
    stem: tuple[int, ...] = (32, 64, 96)
    blocks: int = 0
    width: int = 96
    layers: int = 2
    heads: int = 4
    queries: int = 8
    dropout: float = 0.0

    def __post_init__(self) -> None:
        positive({"width": self.width, "layers": self.layers, "heads": self.heads, "queries": self.queries})
        require(self.blocks >= 0, "blocks", f"must not be negative, found {self.blocks}")
        positive({f"stem.{i}": channels for i, channels in enumerate(self.stem)})
        require(self.width % self.heads == 0, "heads", f"{self.heads} heads do not divide width {self.width}: choose a divisor")
        require(self.width % 4 == 0, "width", f"must be a multiple of 4 for places in two dimensions, found {self.width}")
        fine = 2 ** len(self.stem)
        require(self.size % fine == 0, "stem", f"{len(self.stem)} convolutions halve the side each: {self.size} is no multiple of {fine}")
        self.checked(self.dropout)


def stages(stem: int, widths: tuple[int, ...], convolutions: int, pooling: str) -> None:
    """What every convolutional network checks."""
    positive({"stem": stem, **{f"widths.{i}": width for i, width in enumerate(widths)}})
    require(bool(widths), "widths", "wants the channels of one stage or more")
    require(convolutions >= 0, "blocks", f"must not be negative, found {convolutions}")
    one_of("pooling", pooling, get_args(Pool))


VisionSpec = ConvolutionalSpec | ResidualSpec | VisionTransformerSpec | FillerSpec | UNetSpec | DetectorSpec
