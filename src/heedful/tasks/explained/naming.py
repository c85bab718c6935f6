"""Answers by their names: classes, and words to come."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens import Tokenizer
from heedful.data.tokens.word import UNKNOWN, Words
from heedful.errors import UsageError, unknown


def class_named(name: object, labels: Sequence[str]) -> int:
    """The place of a class by its name, or by its number where no class is called so.

    >>> class_named("yes", ["no", "yes"]), class_named(0, ["no", "yes"])
    (1, 0)

    Errors: `UsageError` with the classes there are.
    """
    if str(name) in labels:
        return list(labels).index(str(name))
    if isinstance(name, int) and 0 <= name < len(labels):
        return name
    raise unknown("class", name, labels)


def word_tokens(word: object, tokenizer: Tokenizer, size: int) -> tuple[int, ...]:
    """The tokens of a text to come, or one by its number."""
    if isinstance(word, int):
        if not 0 <= word < size:
            raise UsageError(f"token {word} is not in the vocabulary of {size}")
        return (word,)
    found = tuple(int(token) for token in tokenizer.encode(str(word)))
    if not found:
        raise UsageError(f"the answer {word!r} has no tokens: a text with a word or a letter in it would work")
    return found


def said(ids: Int[Tensor, " t"] | Sequence[int], tokenizer: Tokenizer | None) -> list[str]:
    """Each token as a reader sees it."""
    return [str(int(i)) if tokenizer is None else tokenizer.show(int(i)) for i in ids]


def blank_of(tokenizer: Tokenizer | None) -> int | None:
    """The token for what is not known; only words have one."""
    return tokenizer.ids[UNKNOWN] if isinstance(tokenizer, Words) else None
