"""Which text is read, how it is split and how it becomes tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from heedful.spec.check import one_of, require, within

TokenizerKind = Literal["char", "byte", "word", "bpe", "runs", "letter_runs"]
Kept = Literal["head", "tail", "ends", "windows"]
Noise = Literal["none", "typos", "drop", "swap", "homoglyph"]
Weighting = Literal["none", "balanced"]


@dataclass(frozen=True)
class DataSpec:
    """A source and its tokens.

    `source` is a file, a folder of text files, a named set, or several of these joined by +. `validation` and `test`
    are shares of the characters, taken in this order from the end, where a source brings no split of its own. `vocabulary`
    is the most tokens a word or bpe tokenizer may have (None: 10,000 words, 1,024 pieces); `encoding` is that of the files.

    Of labelled texts the shares are of texts, one validation text of each class at least. `text` and `label` name the columns
    of a table (None: found by their usual names), `lowercase` folds letters, and `keep` says what is read of a text longer
    than the model's context: its head, its tail, both ends (a quarter from the head, the rest from the tail), or all of it, in windows
    that overlap by a quarter and whose scores are averaged. `folds` puts all texts together and tests on every `folds`th of each class,
    from number `fold` on. Of the texts to learn from, `share` is kept; `weights: balanced` lets each class count the same in the loss;
    `noise` adds a copy of each text in which a share `rate` of the words is spoilt. `vectors` names sources whose texts, without any
    classes, teach the model's word embeddings first.

    >>> DataSpec("notes.txt", tokenizer="bpe", vocabulary=512).validation
    0.1
    """

    source: str = "python-reference"
    tokenizer: TokenizerKind = "char"
    vocabulary: int | None = None
    validation: float = 0.1
    test: float = 0.0
    encoding: str = "utf-8"
    text: str | None = None
    label: str | None = None
    lowercase: bool = False
    keep: Kept = "ends"
    kind: Literal["text"] = "text"
    folds: int | None = None
    fold: int = 0
    share: float = 1.0
    weights: Weighting = "none"
    noise: Noise = "none"
    rate: float = 0.1
    vectors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        one_of("tokenizer", self.tokenizer, get_args(TokenizerKind))
        one_of("keep", self.keep, get_args(Kept))
        one_of("noise", self.noise, get_args(Noise))
        one_of("weights", self.weights, get_args(Weighting))
        within({"validation": self.validation, "test": self.test}, 0.0, 1.0)
        require(self.folds is None or self.folds > 1, "folds", f"wants two or more, found {self.folds}")
        require(0 <= self.fold < (self.folds or 1), "fold", f"counts from 0 to {(self.folds or 1) - 1}, found {self.fold}")
        require(0 < self.share <= 1, "share", f"must lie in (0, 1], found {self.share:g}")
        require(0 <= self.rate <= 1, "rate", f"must lie in [0, 1], found {self.rate:g}")
        require(self.validation > 0, "validation", "must be above 0: a run is judged on text it has not seen")
        share = self.validation + self.test
        require(share < 1, "validation", f"validation and test leave nothing to train on: {share:g} of the text together")
        require(self.vocabulary is None or self.vocabulary > 2, "vocabulary", f"must be above 2, found {self.vocabulary}")
