"""Runs of words, and of characters within words, as tokens: a text as what stands together in it.

The features of Wang & Manning 2012 (ACL, "Baselines and bigrams") and of Joulin et al. 2017 (arXiv 1607.01759), with a closed
vocabulary in place of hashing, so that every token can be shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens.tokenizer import Tokenizer
from heedful.data.words import places_in, words_in

WORDS = 3  # words of the longest run
LETTERS = range(2, 6)  # characters of a run within a word, the spaces around it among them
EDGE = "\x02"  # before the first word and behind the last one
INSIDE = "\x01"  # before a run of characters, which tells it from a word
OFTEN = 2  # times a run of words must occur to be kept where nothing says how many are


class Runs(Tokenizer):
    """Runs of one to three words; every run of a text is one token of it, where it ends.

    A text's edges count as words in runs of two and more, so that how a text begins is seen. What is not in the vocabulary is left out.

    >>> tokens = Runs.train(["to be or\\nnot to be\\n"], None)
    >>> [tokens.pieces[i].decode() for i in tokens.encode("to be!").tolist()]
    ['to', 'be', 'to be']
    """

    kind: ClassVar[str] = "runs"
    letters: ClassVar[bool] = False

    def __init__(self, runs: Sequence[str]) -> None:
        self.runs = list(runs)
        self.ids = {run: i for i, run in enumerate(self.runs)}
        self.pieces = [shown(run).encode() for run in self.runs]

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        """The runs of the first text's lines: the `size` most frequent (ties in alphabetical order), or all that occur twice."""
        counts: Counter[str] = Counter()
        for line in texts[0].split("\n"):
            counts.update(run for run, _, _ in runs_of(line, cls.letters))
        least = 1 if size or not any(count >= OFTEN for count in counts.values()) else OFTEN
        ranked = sorted((run for run in counts if counts[run] >= least), key=lambda run: (-counts[run], run))
        return cls(ranked[:size])

    def joined(self, words: Sequence[str]) -> Self:
        """The same with further words behind its own."""
        return type(self)([*self.runs, *(word for word in words if word not in self.ids)])

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The tokenizer of the runs in `state`."""
        return cls(state["runs"].split("\n"))

    def state(self) -> dict[str, Any]:
        """Its runs in the order of their ids."""
        return {"runs": "\n".join(self.runs)}

    def encode(self, text: str) -> Int[Tensor, " t"]:
        """The runs of the text, in the order in which they end."""
        ids = self.ids
        return torch.tensor([ids[run] for run, _, _ in runs_of(text, self.letters) if run in ids], dtype=torch.long)

    def words(self) -> list[bool]:
        """Which tokens are single words."""
        return [" " not in run and not run.startswith(INSIDE) for run in self.runs]

    def spans(self, text: str) -> list[tuple[int, int, int]]:
        """Every place of every token: its id, and where it begins and ends in characters of the text."""
        edges = places_in(text)
        ends = [(0, 0), *edges, (len(text), len(text))]
        runs = runs_of(text, self.letters)
        return [(self.ids[run], ends[first][0], ends[last][1]) for run, first, last in runs if run in self.ids]


class LetteredRuns(Runs):
    """The same, and runs of two to five characters within each word, which know words that were never seen.

    >>> tokens = LetteredRuns.train(["running\\nrunner\\n"], None)
    >>> [tokens.pieces[i].decode() for i in tokens.encode("runs").tolist()][:3]
    ['·\N{OPEN BOX}r', '·ru', '·un']
    """

    kind: ClassVar[str] = "letter_runs"
    letters: ClassVar[bool] = True


def runs_of(text: str, letters: bool) -> Iterator[tuple[str, int, int]]:
    """Every run with its first and its last word (the left edge is word 0), in the order in which they end."""
    words = words_in(text)
    row = [EDGE, *words, EDGE] if words else []
    for last in range(1, len(row)):
        for size in range(1, min(WORDS, last + 1) + 1):
            if size > 1 or row[last] != EDGE:
                yield " ".join(row[last - size + 1 : last + 1]), last - size + 1, last
        if letters and row[last] != EDGE:
            for run in within(row[last]):
                yield run, last, last


def within(word: str) -> list[str]:
    """The runs of characters of one word, its edges as spaces; a word of one character has none of its own."""
    padded = f" {word} "
    return [INSIDE + padded[i : i + n] for n in LETTERS for i in range(len(padded) - n + 1)] if len(word) > 1 else []


def shown(run: str) -> str:
    """A run as it is read: the edges of a text as a bar, a run of characters after a dot."""
    if run.startswith(INSIDE):
        return "·" + run[1:].replace(" ", "\N{OPEN BOX}")
    return run.replace(EDGE, "|")
