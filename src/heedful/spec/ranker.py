"""What a ranker of items is made of. A field added later takes its default in older files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from heedful.spec.attention import AttentionSpec
from heedful.spec.check import one_of, positive, require, within
from heedful.spec.model import DecoderSpec, Mlp, Norm

Reading = Literal["attention", "pointwise", "target"]
Loss = Literal["softmax", "sampled"]


@dataclass(frozen=True)
class VoteSpec:
    """Counted features: each of the last `reach` items votes for its `neighbours`, the items that follow it and stand beside it most.

    >>> VoteSpec(neighbours=20).reach
    10
    """

    neighbours: int = 50
    reach: int = 10

    def __post_init__(self) -> None:
        positive({"neighbours": self.neighbours, "reach": self.reach})


@dataclass(frozen=True)
class ContentSpec:
    """Items read by their words and attributes, so that new ones can be ranked.

    `features` are the kinds of them (0: as many as the data has), `most` are read of one item, `hidden` is the share of items whose own
    vector is left out of a step, so that content alone learns to do, and `users` also reads the attributes of users.

    >>> ContentSpec().hidden
    0.2
    """

    features: int = 0
    most: int = 16
    hidden: float = 0.2
    users: bool = False

    def __post_init__(self) -> None:
        positive({"most": self.most})
        within({"hidden": self.hidden}, 0.0, 1.0)
        require(self.features >= 0, "features", f"must not be negative, found {self.features}")


@dataclass(frozen=True)
class RankerSpec:
    """A model that reads a history and scores every item as the next.

    `reading`: causal attention over the history (SASRec), pointwise attention (HSTU), or target attention, where the candidate queries
    the history (DIN). Sizes are counts: `vocabulary` items (0: as many as there are), `context` items of a history at most, `width`,
    `layers`, `heads`, `mlp_width` (None: as the kind of `mlp` chooses). `gaps` are the kinds of time between two interactions that
    attention tells apart (0: time is not read).

    `loss` softmax is over all items at every place; sampled is gSASRec's over `negatives` a history, calibrated by `calibration` from
    0 (none) to 1. `votes` are counted neighbours as learned features (None: none), `content` reads words and attributes (None: no).

    >>> RankerSpec(width=64, heads=2).body.d
    32
    """

    kind: Literal["ranker"] = "ranker"
    vocabulary: int = 0
    context: int = 50
    width: int = 64
    layers: int = 2
    heads: int = 2
    mlp: Mlp = "gelu"
    mlp_width: int | None = None
    norm: Norm = "layer"
    dropout: float = 0.2
    reading: Reading = "attention"
    attention: AttentionSpec = field(default_factory=AttentionSpec)
    gaps: int = 0
    loss: Loss = "softmax"
    negatives: int = 256
    calibration: float = 0.75
    votes: VoteSpec | None = None
    content: ContentSpec | None = None

    def __post_init__(self) -> None:
        one_of("reading", self.reading, get_args(Reading))
        one_of("loss", self.loss, get_args(Loss))
        positive({"context": self.context, "width": self.width, "layers": self.layers, "heads": self.heads})
        positive({"mlp_width": self.mlp_width, "negatives": self.negatives})
        within({"dropout": self.dropout}, 0.0, 1.0)
        require(self.vocabulary >= 0, "vocabulary", f"must not be negative, found {self.vocabulary}")
        require(self.gaps >= 0, "gaps", f"must not be negative, found {self.gaps}")
        require(0 <= self.calibration <= 1, "calibration", f"must lie in [0, 1], found {self.calibration:g}")
        require(self.width % self.heads == 0, "heads", f"{self.heads} heads do not divide width {self.width}: choose a divisor")
        counted = self.votes is None or (self.loss == "softmax" and self.reading != "target")
        require(counted, "votes", "are for all items at once: loss softmax, and another reading than target, would work")
        sampled = self.reading != "target" or self.loss == "sampled"
        require(sampled, "loss", "is softmax, and a reading by target scores candidates one by one: sampled would work")

    @property
    def body(self) -> DecoderSpec:
        """The same sizes as the causal stack's."""
        return DecoderSpec(
            vocabulary=self.vocabulary,
            context=self.context,
            width=self.width,
            layers=self.layers,
            heads=self.heads,
            mlp=self.mlp,
            mlp_width=self.mlp_width,
            norm=self.norm,
            bias=True,
            dropout=self.dropout,
            attention=self.attention,
        )
