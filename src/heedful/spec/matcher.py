"""What a matcher of questions is made of. A field added later takes its default in older files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from heedful.spec.attention import AttentionSpec
from heedful.spec.check import one_of, positive, require, within
from heedful.spec.classifier import EncoderSpec

Search = Literal["exact", "usearch"]


@dataclass(frozen=True)
class MatcherSpec:
    """Two streams that make a vector of a text each, and a re-ranker that reads a question beside an entry.

    The attentive stream: `width` numbers a word, made of the runs of characters it has, `layers` of `heads` (any mechanism of the
    catalogue in `attention`), and an attention pooling of `views` views; `members` of them, begun apart, whose vectors stand side by side,
    so that their cosines are averaged (each costs what one costs). The lexical stream: the tf-idf weighted sum of `lexical`
    numbers a run. `labels` are the classes by name, `vocabulary` the runs that are told apart, `context` the words that are read.

    Learning: `dropout` of the stream, `drop_runs` and `drop_words` leave out some of a text, `smoothing` of labels. `contrast` weighs the
    loss that draws a text to another of its class and away from all others of its batch; `hard` of these were mined for it, among its
    `mined` nearest of other classes. `rerank` layers of cross attention (0: none) read the `best` entries again, `rerank_weight` weighs
    their loss. `refused` is the share of the questions within scope that a threshold chosen on validation may turn away;
    `search` looks at every entry, or, above 100,000, at those that usearch's graph finds near.

    >>> MatcherSpec(width=64, heads=4).encoder.d
    16
    """

    kind: Literal["matcher"] = "matcher"
    vocabulary: int = 0
    labels: tuple[str, ...] = ()
    context: int = 64
    width: int = 128
    layers: int = 1
    heads: int = 4
    views: int = 4
    members: int = 1
    lexical: int = 128
    attention: AttentionSpec = field(default_factory=AttentionSpec)
    dropout: float = 0.3
    drop_runs: float = 0.2
    drop_words: float = 0.1
    smoothing: float = 0.1
    contrast: float = 0.0
    hard: int = 0
    mined: int = 20
    rerank: int = 0
    rerank_weight: float = 0.5
    best: int = 10
    refused: float = 0.03
    search: Search = "exact"

    def __post_init__(self) -> None:
        one_of("search", self.search, get_args(Search))
        positive({"context": self.context, "width": self.width, "heads": self.heads, "views": self.views, "members": self.members})
        positive({"lexical": self.lexical, "best": self.best, "mined": self.mined})
        within({"dropout": self.dropout, "drop_runs": self.drop_runs, "drop_words": self.drop_words}, 0.0, 1.0)
        within({"smoothing": self.smoothing, "refused": self.refused}, 0.0, 1.0)
        for name, count in (("layers", self.layers), ("hard", self.hard), ("rerank", self.rerank), ("vocabulary", self.vocabulary)):
            require(count >= 0, name, f"must not be negative, found {count}")
        require(self.contrast >= 0, "contrast", f"must not be negative, found {self.contrast:g}")
        require(self.rerank_weight >= 0, "rerank_weight", f"must not be negative, found {self.rerank_weight:g}")
        divides = self.width % self.heads == 0
        require(divides, "heads", f"{self.heads} heads do not divide width {self.width}: choose a divisor")
        require(len(set(self.labels)) == len(self.labels), "labels", "must be told apart: one stands there twice")
        pairs = not (self.rerank or self.contrast) or self.hard > 0
        require(pairs, "hard", "is 0, and contrast and rerank learn from pairs: hard of 1 or more would work")

    @property
    def attentive(self) -> int:
        """Numbers of the attentive vector, of all members together."""
        return self.members * self.width

    @property
    def encoder(self) -> EncoderSpec:
        """The attentive stream's layers, as those of an encoder."""
        return EncoderSpec(
            vocabulary=1,
            context=self.context,
            width=self.width,
            layers=max(1, self.layers),
            heads=self.heads,
            mlp_width=2 * self.width,
            dropout=self.dropout,
            attention=self.attention,
        )
