"""What a model that reads one text and writes another is made of. A field added later takes its default in older files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from heedful.spec.attention import AttentionSpec, MechanismSpec
from heedful.spec.check import one_of, positive, require, within
from heedful.spec.classifier import EncoderSpec
from heedful.spec.model import DecoderSpec, Mlp, Norm

Look = Literal["bahdanau", "luong"]
CellKind = Literal["gru", "lstm"]


def crossing() -> AttentionSpec:
    """How a decoder reads its source unless told otherwise: no places, which two texts do not share."""
    return AttentionSpec(position=None)


@dataclass(frozen=True)
class Seq2SeqSpec:
    """A transformer that reads a source from both sides and writes a target from left to right.

    Sizes are counts, as in `DecoderSpec`: `vocabulary` tokens of both languages together (0: as many as the tokenizer has), `context`
    tokens of a source and of a target at most, `layers` that read and `decoder_layers` that write (None: as many). `attention` is that
    of each text to itself, `cross` that of the target to the source, `gate` stands on the stream of every block (causal where it
    writes), `tied` shares the embedding with the output, `copy` mixes in the source's own tokens by the weights of the last
    layer's `cross`.

    >>> Seq2SeqSpec(width=64, heads=4, layers=3).writing
    3
    """

    kind: Literal["seq2seq"] = "seq2seq"
    vocabulary: int = 0
    context: int = 128
    width: int = 256
    layers: int = 4
    decoder_layers: int | None = None
    heads: int = 4
    kv_heads: int | None = None
    mlp: Mlp = "gelu"
    mlp_width: int | None = None
    norm: Norm = "layer"
    bias: bool = True
    tied: bool = True
    copy: bool = False
    dropout: float = 0.1
    attention: AttentionSpec = field(default_factory=AttentionSpec)
    cross: AttentionSpec = field(default_factory=crossing)
    gate: MechanismSpec | None = None

    def __post_init__(self) -> None:
        positive({"context": self.context, "width": self.width, "layers": self.layers, "decoder_layers": self.decoder_layers})
        require(self.cross.position is None, "cross.position", "must be null: the places of two texts cannot be compared")
        require(not self.cross.mask, "cross.mask", "must be empty: a rule over places does not hold between two texts")
        require(self.cross.span is None, "cross.span", "must be null: a reach over places does not hold between two texts")
        positive({"heads": self.reader.d, "width": self.writer.d})  # either half checks what they share

    @property
    def writing(self) -> int:
        """How many layers write."""
        return self.decoder_layers or self.layers

    @property
    def reader(self) -> EncoderSpec:
        """The half that reads."""
        return EncoderSpec(
            vocabulary=self.vocabulary,
            context=self.context,
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            kv_heads=self.kv_heads,
            mlp=self.mlp,
            mlp_width=self.mlp_width,
            norm=self.norm,
            bias=self.bias,
            dropout=self.dropout,
            attention=self.attention,
            gate=self.gate,
        )

    @property
    def writer(self) -> DecoderSpec:
        """The half that writes."""
        return DecoderSpec(
            vocabulary=self.vocabulary,
            context=self.context + 1,  # the mark before the first token
            width=self.width,
            layers=self.writing,
            heads=self.heads,
            kv_heads=self.kv_heads,
            mlp=self.mlp,
            mlp_width=self.mlp_width,
            norm=self.norm,
            bias=self.bias,
            dropout=self.dropout,
            attention=self.attention,
            gate=self.gate,
        )


@dataclass(frozen=True)
class RnnSeq2SeqSpec:
    """A recurrent reader from both sides, and a recurrent writer that looks at what was read.

    `look` bahdanau looks before each step, luong after it; `score` is any of the catalogue ("dot" and its kin want the same widths,
    and get them), `feeding` lets luong's writer know of what it saw before. `coverage` is the price in nats of reading a place
    again (None: the writer is not told what it has read). `embedding` and `hidden` are widths, `layers` those of each half; the
    other fields are as in `Seq2SeqSpec`.

    >>> RnnSeq2SeqSpec(look="luong", score="dot").hidden
    256
    """

    kind: Literal["rnn_seq2seq"] = "rnn_seq2seq"
    vocabulary: int = 0
    context: int = 128
    embedding: int = 256
    hidden: int = 256
    layers: int = 1
    cell: CellKind = "gru"
    look: Look = "bahdanau"
    score: str = "additive"
    feeding: bool = False
    coverage: float | None = None
    tied: bool = True
    copy: bool = False
    dropout: float = 0.3

    def __post_init__(self) -> None:
        positive({"context": self.context, "embedding": self.embedding, "hidden": self.hidden, "layers": self.layers})
        require(self.vocabulary >= 0, "vocabulary", f"must not be negative, found {self.vocabulary}")
        require(self.coverage is None or self.coverage >= 0, "coverage", f"must not be negative, found {self.coverage}")
        require(not self.feeding or self.look == "luong", "feeding", "is luong's: a bahdanau writer always knows what it read")
        one_of("cell", self.cell, get_args(CellKind))
        one_of("look", self.look, get_args(Look))
        within({"dropout": self.dropout}, 0.0, 1.0)


TranslatorSpec = Seq2SeqSpec | RnnSeq2SeqSpec
