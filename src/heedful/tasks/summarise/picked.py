"""Sentences picked by attention: those that a title looked at most while it was written, cited by their place in the text."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from heedful.data.tokens import Tokenizer
from heedful.tasks.summarise.sentences import Sentence, sentences
from heedful.tasks.translate.loading import LoadedSeq2Seq
from heedful.tasks.translate.writing import looked, source_of


class Cited(NamedTuple):
    """A sentence, and the share of all looks that fell on it."""

    sentence: Sentence
    share: float


def cited(loaded: LoadedSeq2Seq, text: str, ids: Sequence[int], count: int) -> list[Cited]:
    """The `count` sentences of a text that what was written looked at most, in the order of the text.

    A sentence beyond what the model reads has been looked at by nobody.
    """
    source, _ = source_of(loaded, text)
    alignment = looked(loaded, source, ids).alignment
    assert alignment is not None
    shares = shared(alignment[0].float().cpu().mean(0)[:-1], loaded.tokenizer, source.tolist()[:-1], text)
    best = sorted(range(len(shares)), key=lambda i: -shares[i].share)[:count]
    return [shares[i] for i in sorted(best)]


def shared(weights: Float[Tensor, " s"], tokenizer: Tokenizer, ids: Sequence[int], text: str) -> list[Cited]:
    """The weight that falls on each sentence of a text, by the characters that each token stands for."""
    found = sentences(text)
    if not found:
        return []
    sums = [0.0] * len(found)
    for weight, place in zip(weights.tolist(), places(tokenizer, ids, text), strict=True):
        sums[next((i for i, sentence in enumerate(found) if place < sentence.end), len(found) - 1)] += weight
    return [Cited(sentence, total) for sentence, total in zip(found, sums, strict=True)]


def places(tokenizer: Tokenizer, ids: Sequence[int], text: str) -> list[int]:
    """The character of the text at which the last letter of each token stands (byte for byte, the space before the text left out)."""
    lead = len(text) - len(text.lstrip())
    data = text.strip().encode("utf-8")
    ends = accumulate(len(tokenizer.pieces[i]) for i in ids)
    return [lead + max(0, len(data[: max(0, end - 1)].decode("utf-8", "ignore")) - 1) for end in ends]
