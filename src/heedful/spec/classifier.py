"""What a classifier of texts is made of. A field added later takes its default in older files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from heedful.spec.attention import AttentionSpec, MechanismSpec
from heedful.spec.check import one_of, positive, require, within
from heedful.spec.dropping import DroppingSpec, before_the_end
from heedful.spec.exits import ExitSpec, leaving
from heedful.spec.model import Mlp, Norm, Weights
from heedful.spec.shape import LayerShape, dividing, fitting

Pooling = Literal["mean", "attention"]


@dataclass(frozen=True)
class EncoderSpec:
    """A transformer that reads a text from both sides.

    Sizes are counts, as in `DecoderSpec`: `vocabulary` tokens (0: as many as the tokenizer has), `context` tokens of a text at most,
    `width` of the stream, `layers`, query `heads`, key/value heads (`kv_heads`), `head_dim`, `mlp_width`. `attention` holds any
    mechanism and mask of the catalogue, `gate` stands on the stream of every block, `pooling` makes one vector of a text: the mean of
    its places, or a learned attention over them. `labels` are the classes by name (none: those of the data), `dropping` shortens a text
    on its way through the layers, `shapes`, `weights` and `exits` are as in `DecoderSpec`.

    >>> EncoderSpec(width=256, heads=4).d
    64
    """

    kind: Literal["encoder"] = "encoder"
    vocabulary: int = 0
    labels: tuple[str, ...] = ()
    context: int = 512
    width: int = 128
    layers: int = 2
    heads: int = 4
    kv_heads: int | None = None
    head_dim: int | None = None
    mlp: Mlp = "gelu"
    mlp_width: int | None = None
    norm: Norm = "layer"
    bias: bool = True
    dropout: float = 0.1
    pooling: Pooling = "mean"
    attention: AttentionSpec = field(default_factory=AttentionSpec)
    gate: MechanismSpec | None = None
    dropping: DroppingSpec | None = None
    shapes: tuple[LayerShape, ...] = ()
    weights: Weights = "float"
    exits: ExitSpec | None = None

    def __post_init__(self) -> None:
        positive({"context": self.context, "width": self.width, "layers": self.layers, "heads": self.heads})
        positive({"kv_heads": self.kv_heads, "head_dim": self.head_dim, "mlp_width": self.mlp_width})
        one_of("mlp", self.mlp, get_args(Mlp))
        one_of("norm", self.norm, get_args(Norm))
        one_of("pooling", self.pooling, get_args(Pooling))
        one_of("weights", self.weights, get_args(Weights))
        fitting(self.shapes, self.layers)
        leaving(self.exits.after if self.exits else (), self.layers)
        require(not (self.exits and self.dropping), "exits", "and dropping both shorten the work of a text: one of them would work")
        before_the_end(self.dropping.after if self.dropping else (), self.layers)
        learnable(self.vocabulary, self.dropout, self.labels)
        dividing(self.heads, self.groups, None if self.head_dim else self.width)

    @property
    def groups(self) -> int:
        """Key/value heads."""
        return self.kv_heads or self.heads

    @property
    def d(self) -> int:
        """The width of one head."""
        return self.head_dim or self.width // self.heads

    @property
    def inner(self) -> int:
        """The width inside the feed-forward layer; SwiGLU's third matrix is paid for by two thirds of the width."""
        if self.mlp_width:
            return self.mlp_width
        return 4 * self.width if self.mlp == "gelu" else -(-8 * self.width // 3 // 8) * 8

    def at(self, layer: int) -> EncoderSpec:
        """The spec of one layer, its own sizes in it."""
        if not self.shapes:
            return self
        own = self.shapes[layer]
        return replace(
            self, heads=own.heads, kv_heads=own.kv_heads, head_dim=self.d, mlp_width=own.mlp_width, shapes=(), dropping=None, exits=None
        )

    def shape(self, layer: int) -> LayerShape:
        """The sizes of one layer."""
        own = self.at(layer)
        return LayerShape(own.heads, own.groups, own.inner)


@dataclass(frozen=True)
class TextCNNSpec:
    """Convolutions of several widths over the embeddings, and the largest value of each (Kim 2014, arXiv 1408.5882).

    `filters` of each of the `widths` (in tokens); `gate` stands on the embeddings, which learn `pace` times as fast as the rest; the
    last `still` of the vocabulary, which no text to learn from has, stay as they begin (`data.vectors` says how many they are).

    >>> TextCNNSpec(widths=(3, 4, 5)).filters
    100
    """

    kind: Literal["text_cnn"] = "text_cnn"
    vocabulary: int = 0
    labels: tuple[str, ...] = ()
    context: int = 512
    embedding: int = 128
    filters: int = 100
    widths: tuple[int, ...] = (3, 4, 5)
    dropout: float = 0.5
    gate: MechanismSpec | None = None
    pace: float = 1.0
    still: int = 0

    def __post_init__(self) -> None:
        paced(self.pace, self.still)
        positive({"context": self.context, "embedding": self.embedding, "filters": self.filters})
        require(bool(self.widths) and min(self.widths) > 0, "widths", f"wants one width or more, each above 0: found {list(self.widths)}")
        learnable(self.vocabulary, self.dropout, self.labels)


@dataclass(frozen=True)
class BiLSTMSpec:
    """A bidirectional LSTM whose states are pooled by additive attention (Yang et al. 2016, NAACL, §2.2).

    `pace` and `still` as in `TextCNNSpec`.

    >>> BiLSTMSpec().hidden
    128
    """

    kind: Literal["bilstm_attention"] = "bilstm_attention"
    vocabulary: int = 0
    labels: tuple[str, ...] = ()
    context: int = 256
    embedding: int = 128
    hidden: int = 128
    layers: int = 1
    dropout: float = 0.3
    pooling: Pooling = "attention"
    gate: MechanismSpec | None = None
    pace: float = 1.0
    still: int = 0

    def __post_init__(self) -> None:
        paced(self.pace, self.still)
        positive({"context": self.context, "embedding": self.embedding, "hidden": self.hidden, "layers": self.layers})
        one_of("pooling", self.pooling, get_args(Pooling))
        learnable(self.vocabulary, self.dropout, self.labels)


@dataclass(frozen=True)
class LSTMCNNSpec:
    """An LSTM, then `convolutions` of `filters` over its states, a `gate` between them, and the largest value of each.

    `pace` and `still` as in `TextCNNSpec`.

    >>> LSTMCNNSpec(gate=MechanismSpec("se")).convolutions
    2
    """

    kind: Literal["lstm_cnn"] = "lstm_cnn"
    vocabulary: int = 0
    labels: tuple[str, ...] = ()
    context: int = 256
    embedding: int = 128
    hidden: int = 128
    filters: int = 128
    convolutions: int = 2
    size: int = 3
    dropout: float = 0.3
    gate: MechanismSpec | None = None
    pace: float = 1.0
    still: int = 0

    def __post_init__(self) -> None:
        paced(self.pace, self.still)
        positive({"context": self.context, "embedding": self.embedding, "hidden": self.hidden})
        positive({"filters": self.filters, "convolutions": self.convolutions, "size": self.size})
        learnable(self.vocabulary, self.dropout, self.labels)


Beside = TextCNNSpec | BiLSTMSpec


@dataclass(frozen=True)
class NgramSpec:
    """Attention over the runs of words of a text, which starts as Naive Bayes and can only weigh the runs anew.

    It reads the tokens of `data.tokenizer: runs` (or `letter_runs`), `context` of them at most. The `kept` most frequent runs have
    keys of `width` numbers, by which the text as a whole asks for them (0: every run has one weight, whatever the text); `dropout` is
    the share of the runs that are left out while learning; `smoothing` is added to every count of a run in a class. `beside` is a
    model of the words in their order, which learns by itself and whose scores are added; `further` are more of them, of another kind or
    of the same, which then differs by its draws alone. Each costs what it costs alone.

    >>> NgramSpec(beside=TextCNNSpec()).kind
    'ngram_attention'
    """

    kind: Literal["ngram_attention"] = "ngram_attention"
    vocabulary: int = 0
    labels: tuple[str, ...] = ()
    context: int = 8192
    width: int = 8
    kept: int = 20_000
    dropout: float = 0.0
    smoothing: float = 1.0
    beside: Beside | None = None
    further: tuple[Beside, ...] = ()

    def __post_init__(self) -> None:
        require(not self.further or self.beside is not None, "further", "stand behind model.beside, and there is none: name one there")
        positive({"context": self.context, "kept": self.kept, "smoothing": self.smoothing})
        require(self.width >= 0, "width", f"must not be negative, found {self.width}")
        learnable(self.vocabulary, self.dropout, self.labels)


Tuning = Literal["whole", "lora", "prefix", "bottleneck"]


@dataclass(frozen=True)
class PretrainedSpec:
    """A Hugging Face encoder under a new head: `path` is a folder, or hf:NAME for one in the local cache or of the hub.

    `adapter` says what learns: the `whole` model, or the head and low-rank changes (lora), keys and values before the text's (prefix) or
    bottlenecks behind the layers, of `size`. `context` is in tokens, the marks around a text left out (0: as many as it can place).
    `config` is the model's own, filled in where the run begins, so that the run does not need the folder any more.

    >>> PretrainedSpec(path="bert", adapter="lora").size
    8
    """

    kind: Literal["pretrained"] = "pretrained"
    vocabulary: int = 0
    labels: tuple[str, ...] = ()
    context: int = 0
    path: str = ""
    adapter: Tuning = "whole"
    size: int = 8
    dropout: float = 0.1
    config: str = ""

    def __post_init__(self) -> None:
        one_of("adapter", self.adapter, get_args(Tuning))
        positive({"size": self.size})
        require(self.context >= 0, "context", f"must not be negative, found {self.context}")
        learnable(self.vocabulary, self.dropout, self.labels)


def paced(pace: float, still: int) -> None:
    """What models with embeddings of words check."""
    require(pace > 0, "pace", f"must be above 0, found {pace:g}")
    require(still >= 0, "still", f"must not be negative, found {still}")


def learnable(vocabulary: int, dropout: float, labels: tuple[str, ...]) -> None:
    """What every classifier checks."""
    require(vocabulary >= 0, "vocabulary", f"must not be negative, found {vocabulary}")
    within({"dropout": dropout}, 0.0, 1.0)
    require(len(set(labels)) == len(labels), "labels", "must be told apart: one stands there twice")
    require(len(labels) != 1, "labels", f"wants two classes or more (none: those of the data), found {len(labels)}")


ClassifierSpec = EncoderSpec | TextCNNSpec | BiLSTMSpec | LSTMCNNSpec | NgramSpec | PretrainedSpec
