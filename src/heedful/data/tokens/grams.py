"""Words, pairs of words and runs of characters within words, with how rare each is: what a lexical match weighs.

Runs within words after Bojanowski et al. 2017 (arXiv 1607.04606, §3.2), their rarity after Spärck Jones 1972.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Self

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens.tokenizer import Tokenizer
from heedful.data.words import words_in

LARGEST: Final = 60_000
RUNS: Final = range(2, 6)  # characters of a run within a word, its edges among them
NOTHING: Final = ""  # token 0: what a place without a run holds


class Grams(Tokenizer):
    """The words of a text, their pairs, and runs of 2 to 5 characters within words, whose edges are `<` and `>`.

    Of a script without spaces every character is a word. Letters are folded, compatible forms are made one. Token 0 stands for
    nothing; what is not known is left out.

    >>> grams = Grams.train(["lost card\\nlost pin"], None)
    >>> [grams.runs[i] for i in grams.encode("Lost").tolist()][:4]
    ['lost', '<l', 'lo', 'os']
    """

    kind: ClassVar[str] = "grams"

    def __init__(self, runs: Sequence[str], counts: Sequence[int], texts: int) -> None:
        self.runs, self.counts, self.texts = list(runs), list(counts), texts
        self.ids = {run: i for i, run in enumerate(self.runs) if i}
        self.pieces = [run.encode() for run in self.runs]
        self.rarity = [0.0] + [math.log((1 + texts) / (1 + count)) + 1.0 for count in self.counts[1:]]

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        """The runs of the first text's lines: the most frequent of those that are words or stand in two lines."""
        counts: Counter[str] = Counter()
        words: set[str] = set()
        lines = [line for line in texts[0].split("\n") if line.strip()]
        for line in lines:
            found = folded_words(line)
            words.update(found)
            counts.update({*runs_of(found)})
        kept = sorted((run for run in counts if counts[run] > 1 or run in words), key=lambda run: (-counts[run], run))
        chosen = kept[: (size or LARGEST) - 1]
        return cls([NOTHING, *chosen], [0, *(counts[run] for run in chosen)], len(lines))

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The tokenizer of the runs in `state`."""
        return cls(state["runs"], state["counts"], state["texts"])

    def state(self) -> dict[str, Any]:
        """Its runs in the order of their ids, in how many texts each was, and of how many."""
        return {"runs": self.runs, "counts": self.counts, "texts": self.texts}

    def encode(self, text: str) -> Int[Tensor, " t"]:
        """Every run of the text that is known, word by word, then the pairs."""
        return torch.tensor(self.numbers(text), dtype=torch.long)

    def numbers(self, text: str) -> list[int]:
        """The same as a list."""
        ids = self.ids
        return [ids[run] for run in runs_of(folded_words(text)) if run in ids]

    def show(self, token: int) -> str:
        """One run as a reader sees it; a sign for nothing."""
        return super().show(token) or "\N{EMPTY SET}"

    def of_word(self, word: str) -> list[int]:
        """The known runs of one word, the word itself first."""
        return [self.ids[run] for run in (word, *within(word)) if run in self.ids]

    def known(self, word: str) -> bool:
        """Whether the word stood in a text that was learnt from."""
        return word in self.ids


def folded_words(text: str) -> list[str]:
    """The words of a text, letters folded and compatible forms (full width, ligatures) made one.

    >>> folded_words("Ｃard 遺失 Ok")
    ['card', '遺', '失', 'ok']
    """
    return words_in(unicodedata.normalize("NFKC", text).casefold())


def runs_of(words: Sequence[str]) -> list[str]:
    """Every run of a row of words, as often as it stands there; the text's edges are words of the pairs."""
    single = [run for word in words for run in (word, *within(word))]
    return single + [f"{one} {other}" for one, other in zip(["<", *words], [*words, ">"], strict=True)] if words else []


def within(word: str) -> list[str]:
    """The runs of characters of a word with its edges; a word of one character has none."""
    if len(word) < 2:
        return []
    edged = f"<{word}>"
    return [edged[i : i + size] for size in RUNS for i in range(len(edged) - size + 1)]
