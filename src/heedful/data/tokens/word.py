"""Words: a closed vocabulary with a token for what is not in it and one for the end of a line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar, Self

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens.tokenizer import Tokenizer

UNKNOWN, END = "<unk>", "<eos>"
PART = re.compile(r"<unk>|\w+|[^\w\s]")
LARGEST = 10_000


class Words(Tokenizer):
    """The most frequent words of the training text, `<unk>` for all others and `<eos>` for each line's end.

    `split="space"` takes what stands between white space as a word (text that is tokenised already, as WikiText-2);
    `split="punctuation"` also takes every sign apart from the word it leans on.

    >>> tokens = Words.of("to be , or not to be\\n", "space")
    >>> tokens.words, tokens.encode("to do\\n").tolist()
    (['<unk>', '<eos>', 'be', 'to', ',', 'not', 'or'], [3, 0, 1])
    >>> tokens.decode([3, 2, 1])
    ' to be \\n'
    """

    kind: ClassVar[str] = "word"

    def __init__(self, words: Sequence[str], split: str) -> None:
        self.words, self.split = list(words), split
        self.ids = {word: i for i, word in enumerate(words)}
        self.pieces = [self.piece(word) for word in words]

    @classmethod
    def of(cls, text: str, split: str, size: int = LARGEST) -> Self:
        """The `size` most frequent words of `text` (ties in alphabetical order), the two special ones among them."""
        counts = Counter(chain.from_iterable(words_of(line, split) for line in lines_of(text)))
        for special in (UNKNOWN, END):
            counts.pop(special, None)
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return cls([UNKNOWN, END, *ranked[: size - 2]], split)

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        """The words of the first text; one that has `<unk>` in it is taken to be tokenised already."""
        return cls.of(texts[0], "space" if f" {UNKNOWN} " in texts[0] else "punctuation", size or LARGEST)

    def joined(self, words: Sequence[str]) -> Self:
        """The same with further words behind its own."""
        return type(self)([*self.words, *(word for word in words if word not in self.ids)], self.split)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The tokenizer of the words in `state`."""
        return cls(state["words"], state["split"])

    def state(self) -> dict[str, Any]:
        """Its words, in the order of their ids, and how it splits."""
        return {"words": self.words, "split": self.split}

    def encode(self, text: str) -> Int[Tensor, " t"]:
        """The id of each word, `<eos>` where a line ends; a last line without its newline has no end yet."""
        unknown, end = self.ids[UNKNOWN], self.ids[END]
        out: list[int] = []
        for line in lines_of(text):
            out.extend(self.ids.get(word, unknown) for word in words_of(line, self.split))
            if line.endswith("\n"):
                out.append(end)
        return torch.tensor(out, dtype=torch.long)

    def piece(self, word: str) -> bytes:
        """The bytes of a word as it stands in a line."""
        if word == END:
            return b" \n" if self.split == "space" else b"\n"
        leans = self.split != "space" and not word[0].isalnum() and word != UNKNOWN
        return (word if leans else f" {word}").encode()


def lines_of(text: str) -> Iterator[str]:
    """The lines of a text, each with its newline; only a newline ends one."""
    return (match.group() for match in re.finditer(r"[^\n]*\n|[^\n]+", text))


def words_of(line: str, split: str) -> list[str]:
    """The words of one line."""
    return line.split() if split == "space" else PART.findall(line)
