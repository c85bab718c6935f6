"""What a model that describes pictures is made of. A field added later takes its default in older files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from heedful.spec.attention import AttentionSpec
from heedful.spec.check import one_of, positive, require
from heedful.spec.model import Mlp
from heedful.spec.seq2seq import CellKind, Seq2SeqSpec, crossing
from heedful.spec.vision import PictureShape


@dataclass(frozen=True)
class CaptionerShape(PictureShape):
    """What every model of pictures and words knows: side and channels (0: the data's), `vocabulary` (0: the tokenizer's), no classes.

    `context` is the most tokens of a question, its answer and the mark between them. `stem` are the channels of convolutions that
    halve the side each, `blocks` pairs of convolutions beside the stream follow: what is left of the picture are the places looked at.
    """

    vocabulary: int = 0
    context: int = 48
    stem: tuple[int, ...] = (32, 64)
    blocks: int = 1

    @property
    def side(self) -> int:
        """Places on a side."""
        return self.size >> len(self.stem)

    def checked(self, dropout: float) -> None:
        """What every captioner checks."""
        super().checked(dropout)
        positive({"context": self.context, **{f"stem.{i}": channels for i, channels in enumerate(self.stem)}})
        require(bool(self.stem), "stem", "wants the channels of one convolution or more")
        require(min(self.vocabulary, self.blocks) >= 0, "blocks", "neither blocks nor vocabulary may be negative")
        require(not self.labels, "labels", "must be empty: pictures are described, not classified")
        fine = 2 ** len(self.stem)
        require(self.size % fine == 0, "stem", f"{len(self.stem)} convolutions halve the side each: {self.size} is no multiple of {fine}")


@dataclass(frozen=True)
class CaptionerSpec(CaptionerShape):
    """Convolutions, `layers` of self-attention over their places, and `decoder_layers` that write and read the places.

    `cross` is the attention of the words to the places, `attention` that of places and of words to themselves.

    >>> CaptionerSpec(size=32).side
    8
    """

    kind: Literal["captioner"] = "captioner"
    width: int = 128
    layers: int = 1
    decoder_layers: int = 3
    heads: int = 4
    mlp: Mlp = "gelu"
    mlp_width: int | None = None
    dropout: float = 0.0
    attention: AttentionSpec = field(default_factory=AttentionSpec)
    cross: AttentionSpec = field(default_factory=crossing)

    def __post_init__(self) -> None:
        require(self.layers >= 0, "layers", f"must not be negative, found {self.layers}")
        positive({"decoder_layers": self.decoder_layers})
        require(self.width % 4 == 0, "width", f"must be a multiple of 4 for places in two dimensions, found {self.width}")
        positive({"width": self.text.width})
        self.checked(self.dropout)

    @property
    def text(self) -> Seq2SeqSpec:
        """The half that writes, as that of a model of two texts."""
        return Seq2SeqSpec(
            vocabulary=self.vocabulary,
            context=self.context,
            width=self.width,
            layers=max(1, self.layers),
            decoder_layers=self.decoder_layers,
            heads=self.heads,
            mlp=self.mlp,
            mlp_width=self.mlp_width,
            dropout=self.dropout,
            attention=self.attention,
            cross=self.cross,
        )


@dataclass(frozen=True)
class ShowAttendTellSpec(CaptionerShape):
    """A recurrent writer that looks at the picture before each word (Xu et al. 2015, arXiv 1502.03044, §3).

    `width` are the numbers of a place, `embedding` of a word, `hidden` of the state. `doubly` is the price of not looking at every place
    once in all (the doubly stochastic penalty of §4.2.1; 0: none).

    >>> ShowAttendTellSpec(size=32).doubly
    0.1
    """

    kind: Literal["show_attend_tell"] = "show_attend_tell"
    width: int = 128
    embedding: int = 128
    hidden: int = 192
    cell: CellKind = "lstm"
    doubly: float = 0.1
    dropout: float = 0.1

    def __post_init__(self) -> None:
        positive({"width": self.width, "embedding": self.embedding, "hidden": self.hidden})
        require(self.width % 4 == 0, "width", f"must be a multiple of 4 for places in two dimensions, found {self.width}")
        require(self.doubly >= 0, "doubly", f"must not be negative, found {self.doubly:g}")
        one_of("cell", self.cell, get_args(CellKind))
        self.checked(self.dropout)


CaptionSpec = CaptionerSpec | ShowAttendTellSpec
