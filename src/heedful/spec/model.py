"""What a language model is made of. A field added later takes its default in older files."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from heedful.spec.adapter import AdapterSpec
from heedful.spec.attention import AttentionSpec, MechanismSpec
from heedful.spec.check import one_of, positive, require, within
from heedful.spec.exits import ExitSpec, leaving
from heedful.spec.shape import LayerShape, dividing, fitting

Weights = Literal["float", "int8"]
Mlp = Literal["swiglu", "gelu"]
Norm = Literal["rms", "layer"]


@dataclass(frozen=True)
class DecoderSpec:
    """A transformer that reads left to right.

    Sizes are counts: `vocabulary` tokens (0: as many as the tokenizer has), `context` tokens seen at once, `width` of
    the stream, `layers`, query `heads`, key/value heads (`kv_heads`, None: as many as heads), `head_dim` (None: width /
    heads), `mlp_width` (None: 4 widths for gelu, 8/3 for swiglu). `tied` shares the embedding with the output,
    `adaptive` are the cutoffs of an adaptive softmax (none: a full one),
    `gate` stands on the stream of every block, `memory` is how many earlier tokens each layer keeps (Transformer-XL).
    `shapes` are the layers' own sizes where they differ (one a layer, or none), `weights` int8 are matrices in eight bits,
    `adapter` stands beside every layer, `exits` let a token leave early.

    >>> spec = DecoderSpec(width=128, heads=4, kv_heads=2)
    >>> spec.groups, spec.d, spec.inner
    (2, 32, 344)
    """

    kind: Literal["transformer"] = "transformer"
    vocabulary: int = 0
    context: int = 256
    width: int = 128
    layers: int = 4
    heads: int = 4
    kv_heads: int | None = None
    head_dim: int | None = None
    mlp: Mlp = "swiglu"
    mlp_width: int | None = None
    norm: Norm = "rms"
    bias: bool = False
    tied: bool = True
    adaptive: tuple[int, ...] = ()
    dropout: float = 0.0
    attention: AttentionSpec = field(default_factory=AttentionSpec)
    gate: MechanismSpec | None = None
    memory: int = 0
    shapes: tuple[LayerShape, ...] = ()
    weights: Weights = "float"
    adapter: AdapterSpec | None = None
    exits: ExitSpec | None = None

    def __post_init__(self) -> None:
        positive({"context": self.context, "width": self.width, "layers": self.layers, "heads": self.heads})
        positive({"kv_heads": self.kv_heads, "head_dim": self.head_dim, "mlp_width": self.mlp_width})
        one_of("mlp", self.mlp, get_args(Mlp))
        one_of("norm", self.norm, get_args(Norm))
        within({"dropout": self.dropout}, 0.0, 1.0)
        require(self.vocabulary >= 0, "vocabulary", f"must not be negative, found {self.vocabulary}")
        require(self.memory >= 0, "memory", f"must not be negative, found {self.memory}")
        one_of("weights", self.weights, get_args(Weights))
        fitting(self.shapes, self.layers)
        leaving(self.exits.after if self.exits else (), self.layers)
        require(not (self.exits and self.memory), "exits", "leave nothing for a memory of the segment before: memory 0 would work")
        untied(self.tied, self.adaptive)
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

    def at(self, layer: int) -> DecoderSpec:
        """The spec of one layer, its own sizes in it."""
        if not self.shapes:
            return self
        own = self.shapes[layer]
        return replace(self, heads=own.heads, kv_heads=own.kv_heads, head_dim=self.d, mlp_width=own.mlp_width, shapes=())

    def shape(self, layer: int) -> LayerShape:
        """The sizes of one layer."""
        own = self.at(layer)
        return LayerShape(own.heads, own.groups, own.inner)


@dataclass(frozen=True)
class RecurrentSpec:
    """An LSTM language model with attention over its own past states.

    Sizes are counts: `vocabulary` tokens (0: as many as the tokenizer has), `embedding` and `hidden` widths, LSTM
    `layers`, `context` tokens a step. `attention` is the score between a state and the past ones (None: no
    attention), `adaptive` are the cutoffs of an adaptive softmax (none: a full one).

    >>> RecurrentSpec(attention=None).hidden
    512
    """

    kind: Literal["recurrent"] = "recurrent"
    vocabulary: int = 0
    context: int = 50
    embedding: int = 256
    hidden: int = 512
    layers: int = 1
    attention: MechanismSpec | None = field(default_factory=lambda: MechanismSpec("scaled_dot"))
    tied: bool = False
    adaptive: tuple[int, ...] = ()
    dropout: float = 0.0

    def __post_init__(self) -> None:
        positive({"context": self.context, "embedding": self.embedding, "hidden": self.hidden, "layers": self.layers})
        within({"dropout": self.dropout}, 0.0, 1.0)
        require(self.vocabulary >= 0, "vocabulary", f"must not be negative, found {self.vocabulary}")
        untied(self.tied, self.adaptive)


def untied(tied: bool, adaptive: tuple[int, ...]) -> None:
    """Refuse cutoffs beside an output that is the embedding: the clusters have matrices of their own."""
    require(not (tied and adaptive), "adaptive", "has an output of its own, and tied shares the embedding: tied: false would work")


ModelSpec = DecoderSpec | RecurrentSpec
