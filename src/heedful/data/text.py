"""A text in its parts, and the tokens it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens import Tokenizer, train_tokenizer
from heedful.spec.data import DataSpec

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Corpus:
    """A text split into what is learnt from and what is only judged on; `test` may be empty.

    `name` is how the source was called, `split` says in words where the parts come from.
    """

    name: str
    train: str
    validation: str
    test: str
    split: str

    def part(self, name: str) -> str:
        """The text of one part by its name."""
        return {"train": self.train, "validation": self.validation, "test": self.test}[name]


class Tokenised(NamedTuple):
    """A corpus as tokens: ids of each part, under its name."""

    tokenizer: Tokenizer
    ids: Mapping[str, Int[Tensor, " n"]]


def cut(name: str, text: str, spec: DataSpec) -> Corpus:
    """One text cut by the shares of `spec`: training first, then validation, then test.

    >>> cut("digits", "0123456789", DataSpec(validation=0.2, test=0.1)).validation
    '78'
    """
    test = round(len(text) * spec.test)
    last = len(text) - test
    first = int(last - len(text) * spec.validation)
    shares = f"the first {first:,} characters to train, then {last - first:,} to validate, then {test:,} to test"
    return Corpus(name, text[:first], text[first:last], text[last:], shares)


def tokenise(corpus: Corpus, spec: DataSpec, tokenizer: Tokenizer | None = None) -> Tokenised:
    """The corpus as tokens, by `tokenizer` or by one learnt from its training text."""
    texts = {"train": corpus.train, "validation": corpus.validation, "test": corpus.test}
    tokenizer = tokenizer or train_tokenizer(spec.tokenizer, list(texts.values()), spec.vocabulary)
    return Tokenised(tokenizer, {part: tokenizer.encode(text) for part, text in texts.items()})
