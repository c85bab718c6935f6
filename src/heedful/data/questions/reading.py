"""Texts as a matcher reads them: the runs of each word in their order, and all runs of a text by weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import log, sqrt
from typing import Final, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.data.labelled.rows import Rows
from heedful.data.labelled.texts import Texts
from heedful.data.tokens.grams import Grams, folded_words

MOST: Final = 28  # runs of one word that are read


class MatchBatch(NamedTuple):
    """Some texts together, zeros where one is shorter; rows of a `group` are a text, one of its class, and others like it.

    `words` are places in `types`, the runs of every word of the batch; `runs` are all runs of a text, of `weights` each.
    """

    words: Int[Tensor, "b t"]
    lengths: Int[Tensor, " b"]
    types: Int[Tensor, "u g"]
    runs: Int[Tensor, "b n"]
    weights: Float[Tensor, "b n"]
    labels: Int[Tensor, " b"]
    group: int = 1


@dataclass(frozen=True)
class Reading:
    """Many texts: the words of each by type, the runs of each type, and the weighted runs of each text (tf-idf, of length 1)."""

    words: Rows
    types: Int[Tensor, "u g"]
    runs: Rows
    weights: Float[Tensor, " n"]

    def __len__(self) -> int:
        return len(self.words)

    def batch(self, places: Int[Tensor, " b"], group: int = 1) -> MatchBatch:
        """The texts at `places`."""
        words, lengths = self.words.padded(places)
        used, mine = torch.unique(words, return_inverse=True)
        runs, _ = self.runs.padded(places)
        spread = Rows(self.weights, self.runs.starts, self.runs.lengths, self.runs.labels)
        weights, _ = spread.padded(places)
        return MatchBatch(mine, lengths, self.types[used], runs, weights, self.words.labels[places], group)

    def whole(self) -> MatchBatch:
        """All of them."""
        return self.batch(torch.arange(len(self)))


def read(texts: Texts, labels: Sequence[str], grams: Grams, context: int) -> Reading:
    """The texts, the first `context` words of each; a class that is none of `labels` has the number -100.

    >>> found = read(Texts(("Lost my card!", "card"), ("lost", "?")), ("lost",), Grams.train(["my card"], None), context=8)
    >>> found.words.lengths.tolist(), found.words.labels.tolist(), found.batch(torch.tensor([1])).words.tolist()
    ([4, 1], [0, -100], [[0]])
    """
    place = {label: i for i, label in enumerate(labels)}
    classes = torch.tensor([place.get(label, -100) for label in texts.labels], dtype=torch.long)
    kinds: dict[str, int] = {}
    split = [folded_words(text)[:context] or [""] for text in texts.texts]
    numbers = [[kinds.setdefault(word, len(kinds)) for word in words] for words in split]
    table = [grams.of_word(word)[:MOST] for word in kinds]
    bags = [weighted(grams, text) for text in texts.texts]
    spans = [len(ids) for ids, _ in bags]
    return Reading(
        row(numbers, classes, sum(len(folded_words(text)) > context for text in texts.texts)),
        filled(table),
        row([ids for ids, _ in bags], classes),
        torch.tensor(list(chain.from_iterable(weights for _, weights in bags)), dtype=torch.float32) if sum(spans) else torch.zeros(0),
    )


def weighted(grams: Grams, text: str) -> tuple[list[int], list[float]]:
    """The different runs of a text, and (1 + log of how often) × rarity of each, of length 1 together; run 0 where none is known."""
    counts = Counter(grams.numbers(text))
    if not counts:
        return [0], [0.0]
    weights = [(1.0 + log(count)) * grams.rarity[run] for run, count in counts.items()]
    length = sqrt(sum(weight * weight for weight in weights))
    return list(counts), [weight / length for weight in weights]


def row(many: Sequence[Sequence[int]], labels: Int[Tensor, " rows"], cut: int = 0) -> Rows:
    """Lists of numbers, one after the other."""
    lengths = torch.tensor([len(one) for one in many], dtype=torch.long)
    return Rows(torch.tensor(list(chain.from_iterable(many)), dtype=torch.long), lengths.cumsum(0) - lengths, lengths, labels, cut)


def filled(many: Sequence[Sequence[int]]) -> Int[Tensor, "u g"]:
    """Lists of numbers as one table, zeros at their ends."""
    width = max(1, max(map(len, many), default=1))
    return torch.tensor([[*one, *[0] * (width - len(one))] for one in many], dtype=torch.long).reshape(len(many), width)
