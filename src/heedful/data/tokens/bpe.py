"""Byte-pair encoding over bytes (Sennrich et al. 2016; Radford et al. 2019), trained by Hugging Face's tokenizers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import tokenizers
import torch
from jaxtyping import Int
from tokenizers import decoders, models, pre_tokenizers, trainers
from torch import Tensor

from heedful.data.tokens.tokenizer import Tokenizer
from heedful.errors import UsageError

SMALLEST = 256
USUAL = 1024
CUT = re.compile(r"(?<=\S\n)(?=\S)")
CHUNK = 1 << 16


class Pieces(Tokenizer):
    """Frequent runs of bytes as tokens; every text can be said, since every byte is one too.

    >>> tokens = Pieces.train(["the cat and the hat and the bat\\n" * 9], 270)
    >>> tokens.decode(tokens.encode("the é").tolist())
    'the é'
    """

    kind: ClassVar[str] = "bpe"

    def __init__(self, engine: tokenizers.Tokenizer) -> None:
        self.engine = engine
        letters = byte_letters()
        names = sorted(engine.get_vocab().items(), key=lambda pair: pair[1])
        self.pieces = [bytes(letters[letter] for letter in name) for name, _ in names]

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        """The `size` pieces that the first text merges into; `UsageError` below the 256 bytes."""
        size = size or USUAL
        if size < SMALLEST:
            raise UsageError(f"a bpe vocabulary of {size} is too small: the bytes alone are {SMALLEST}; char or byte would work")
        engine = tokenizers.Tokenizer(models.BPE())
        engine.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        engine.decoder = decoders.ByteLevel()
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
        engine.train_from_iterator(chunks(texts[0]), trainer)
        return cls(engine)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The tokenizer of the engine's own JSON in `state`."""
        return cls(tokenizers.Tokenizer.from_str(state["engine"]))

    def state(self) -> dict[str, Any]:
        """The engine's own JSON."""
        return {"engine": self.engine.to_str()}

    def encode(self, text: str) -> Int[Tensor, " t"]:
        """The ids of `text`, cut where no piece can reach across, so that a long text is read in parallel."""
        rows = self.engine.encode_batch_fast(list(chunks(text)))
        ids = [np.asarray(row.ids, dtype=np.int64) for row in rows]
        return torch.from_numpy(np.concatenate(ids)) if ids else torch.empty(0, dtype=torch.long)


def chunks(text: str) -> Iterator[str]:
    """The text in pieces of some 64 thousand characters, cut between a lone newline and a visible character."""
    start = 0
    while start < len(text):
        cut = CUT.search(text, start + CHUNK) if len(text) - start > CHUNK else None
        stop = cut.start() if cut else len(text)
        yield text[start:stop]
        start = stop


def byte_letters() -> dict[str, int]:
    """The visible letter that byte-level BPE writes for each byte, and the byte."""
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(visible)]
    return {chr(byte): byte for byte in visible} | {chr(256 + i): byte for i, byte in enumerate(hidden)}
