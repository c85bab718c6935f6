"""What a tokenizer is: text to numbers and back, by a closed list of byte pieces."""

from __future__ import annotations

import codecs
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from jaxtyping import Int
from torch import Tensor


class Tokenizer(ABC):
    """Text <-> token ids; token i stands for the bytes `pieces[i]`, so any run of tokens decodes, whole or as it comes."""

    kind: ClassVar[str]
    pieces: Sequence[bytes]

    @classmethod
    @abstractmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        """Learn from `texts` (the first is the training text) a tokenizer of at most `size` tokens."""

    @classmethod
    @abstractmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The tokenizer that `state` describes."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Everything needed to make it again, as JSON data."""

    @abstractmethod
    def encode(self, text: str) -> Int[Tensor, " t"]:
        """The ids of `text`; `UsageError` for what it cannot say."""

    @property
    def size(self) -> int:
        """How many tokens there are."""
        return len(self.pieces)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of `ids`; bytes that are no UTF-8 become U+FFFD."""
        return b"".join(self.pieces[i] for i in ids).decode("utf-8", "replace")

    def show(self, token: int) -> str:
        """One token as a reader sees it: white space made visible, bytes that are no text in hexadecimal."""
        try:
            text = self.pieces[token].decode("utf-8")
        except UnicodeDecodeError:
            return "".join(f"<{byte:02x}>" for byte in self.pieces[token])
        return text.replace(" ", "\N{OPEN BOX}").replace("\n", "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}")

    def stream(self) -> Stream:
        """A decoder that takes tokens one at a time."""
        return Stream(self.pieces)


class Stream:
    """Text as tokens come: a character is given out once all its bytes are there.

    >>> stream = Stream([b"\\xc3", b"\\xa9", b"!"])
    >>> [stream.push(0), stream.push(1), stream.push(2), stream.close()]
    ['', 'é', '!', '']
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token: int) -> str:
        """The text that this token completes, often its own, sometimes none."""
        return self.decoder.decode(self.pieces[token])

    def close(self) -> str:
        """What is left: U+FFFD for a character that never became whole."""
        return self.decoder.decode(b"", final=True)
