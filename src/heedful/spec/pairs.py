"""Which pairs of texts are read, how they are split and how they become tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from heedful.spec.check import one_of, positive, require, within
from heedful.spec.data import TokenizerKind


@dataclass(frozen=True)
class PairSpec:
    """Sources and their targets, and the tokens they share.

    `source` is a table, two files joined by + with a line each for a line of the other, a folder of such files, a named set, or one
    of the sets that are made on the spot (dates, numbers). `pair` names two languages ("en-de"): the parts of a named set, the endings of
    a folder's files, or the columns of a table; `text` and `target` name the columns themselves (None: found by their usual names).
    `validation` and `test` are shares of the pairs where the source brings no split of its own; `limit` takes only so many of the
    training pairs, the first of them. `vocabulary` is the most tokens a word or bpe tokenizer of both languages may have.

    >>> PairSpec("multi30k", pair="en-de").tokenizer
    'bpe'
    """

    source: str = "dates"
    pair: str | None = None
    text: str | None = None
    target: str | None = None
    tokenizer: TokenizerKind = "bpe"
    vocabulary: int | None = None
    validation: float = 0.1
    test: float = 0.1
    limit: int | None = None
    encoding: str = "utf-8"
    lowercase: bool = False
    kind: Literal["pairs"] = "pairs"

    def __post_init__(self) -> None:
        one_of("tokenizer", self.tokenizer, get_args(TokenizerKind))
        within({"validation": self.validation, "test": self.test}, 0.0, 1.0)
        require(self.validation > 0, "validation", "must be above 0: a run is judged on pairs it has not seen")
        share = self.validation + self.test
        require(share < 1, "validation", f"validation and test leave nothing to train on: {share:g} of the pairs together")
        require(self.vocabulary is None or self.vocabulary > 2, "vocabulary", f"must be above 2, found {self.vocabulary}")
        positive({"limit": self.limit})
        named = self.pair is None or (self.pair.count("-") == 1 and all(self.pair.split("-")))
        require(named, "pair", f"wants two languages, as en-de, found {self.pair!r}")

    @property
    def languages(self) -> tuple[str, str] | None:
        """The two languages, if they are named."""
        if self.pair is None:
            return None
        one, _, other = self.pair.partition("-")
        return one, other
