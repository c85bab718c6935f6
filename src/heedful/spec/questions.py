"""Which questions are read, what they are matched with, and how they are split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from heedful.spec.check import positive, require, within


@dataclass(frozen=True)
class QuestionSpec:
    """Entries (known questions, each with its answer or intent) and the questions that are matched with them.

    `source` is a table, a folder of tables named train, validation and test, a named set, or python-reference. `question` and `answer`
    name a table's columns (None: found by their usual names); rows with the same answer are entries of one class, rows whose answer
    is `outside` belong to none. `validation` and `test` are shares of the questions where the source brings no split of its own.

    Of a set whose entries come with questions that people asked (stackfaq), `queries` learns from those of the other folds, and `fold`,
    counted from 0, of `folds` is the one to be judged on; without, every query is judged on, and only the entries are learnt from.
    `vocabulary` is the most runs of characters and words that are told apart.

    >>> QuestionSpec("faq.csv", question="title", answer="body").kind
    'questions'
    """

    source: str = "python-reference"
    question: str | None = None
    answer: str | None = None
    outside: str = "oos"
    queries: bool = True
    fold: int = 0
    folds: int = 5
    vocabulary: int = 60_000
    validation: float = 0.1
    test: float = 0.0
    encoding: str = "utf-8"
    kind: Literal["questions"] = "questions"

    def __post_init__(self) -> None:
        within({"validation": self.validation, "test": self.test}, 0.0, 1.0)
        require(self.validation > 0, "validation", "must be above 0: a run is judged on questions it has not seen")
        share = self.validation + self.test
        require(share < 1, "validation", f"validation and test leave nothing to learn from: {share:g} of the questions together")
        positive({"vocabulary": self.vocabulary})
        require(self.folds > 1, "folds", f"must be 2 or more, found {self.folds}")
        require(0 <= self.fold < self.folds, "fold", f"must be 0 to {self.folds - 1}, found {self.fold}")
