"""Which text is read, how it is split and how it becomes tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from heedful.spec.check import one_of, require, within

TokenizerKind = Literal["char", "byte", "word", "bpe"]
Kept = Literal["head", "tail", "ends"]


@dataclass(frozen=True)
class DataSpec:
    """A source and its tokens.

    `source` is a file, a folder of text files, a named set, or several of these joined by +. `validation` and `test`
    are shares of the characters, taken in this order from the end, where a source brings no split of its own. `vocabulary`
    is the most tokens a word or bpe tokenizer may have (None: 10,000 words, 1,024 pieces); `encoding` is that of the files.

    Of labelled texts the shares are of texts, one validation text of each class at least. `text` and `label` name the columns
    of a table (None: found by their usual names), `lowercase` folds letters, and `keep` says what is read of a text longer
    than the model's context: its head, its tail, or both ends (a quarter from the head, the rest from the tail).

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

    def __post_init__(self) -> None:
        one_of("tokenizer", self.tokenizer, get_args(TokenizerKind))
        one_of("keep", self.keep, get_args(Kept))
        within({"validation": self.validation, "test": self.test}, 0.0, 1.0)
        require(self.validation > 0, "validation", "must be above 0: a run is judged on text it has not seen")
        share = self.validation + self.test
        require(share < 1, "validation", f"validation and test leave nothing to train on: {share:g} of the text together")
        require(self.vocabulary is None or self.vocabulary > 2, "vocabulary", f"must be above 2, found {self.vocabulary}")
