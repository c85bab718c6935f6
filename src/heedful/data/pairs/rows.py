"""Pairs as tokens, each text cut to what a model reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.pairs.pairs import Pairs
from heedful.data.tokens import Tokenizer

IGNORED = -100


class PairBatch(NamedTuple):
    """Sources with padding on the right and how many tokens of each are real; targets, each behind the mark, and what follows each."""

    source: Int[Tensor, "b s"]
    lengths: Int[Tensor, " b"]
    ids: Int[Tensor, "b t"]
    labels: Int[Tensor, "b t"]


@dataclass(frozen=True)
class Side:
    """The tokens of all texts of one side in one row, where each begins and how many it has, the mark at its end among them."""

    tokens: Int[Tensor, " n"]
    lengths: Int[Tensor, " rows"]
    starts: Int[Tensor, " rows"]

    def padded(self, places: Int[Tensor, " b"], filling: int) -> Int[Tensor, "b t"]:
        """The texts at `places` as one batch, `filling` after their ends."""
        lengths = self.lengths[places]
        index = self.starts[places, None] + torch.arange(int(lengths.max()))
        inside = torch.arange(index.shape[1]) < lengths[:, None]
        return torch.where(inside, self.tokens[index.clamp(max=len(self.tokens) - 1)], filling)


@dataclass(frozen=True)
class PairRows:
    """Both sides; `mark` is the token that ends every text and begins every target, `cut` texts were longer than was read."""

    source: Side
    target: Side
    mark: int
    cut: int = 0

    def __len__(self) -> int:
        return len(self.source.lengths)

    def batch(self, places: Int[Tensor, " b"]) -> PairBatch:
        """The pairs at `places` together."""
        labels = self.target.padded(places, IGNORED)
        before = torch.full_like(labels[:, :1], self.mark)
        ids = torch.cat([before, labels[:, :-1].clamp(min=0)], dim=1)
        return PairBatch(self.source.padded(places, self.mark), self.source.lengths[places], ids, labels)


def pair_rows(pairs: Pairs, tokenizer: Tokenizer, context: int) -> PairRows:
    """The pairs as tokens, at most `context` of each text, and the mark, which is one more than the tokenizer has.

    >>> from heedful.data.tokens import train_tokenizer
    >>> rows = pair_rows(Pairs(("ab", "b"), ("ba", "a")), train_tokenizer("char", [" ab"]), context=8)
    >>> rows.mark, rows.batch(torch.tensor([0, 1])).labels.tolist()
    (3, [[0, 2, 1, 3], [0, 1, 3, -100]])
    """
    mark = tokenizer.size
    (source, long), (target, longer) = (side(texts, tokenizer, context, mark) for texts in (pairs.sources, pairs.targets))
    return PairRows(source, target, mark, long + longer)


def side(texts: Sequence[str], tokenizer: Tokenizer, context: int, mark: int) -> tuple[Side, int]:
    """The texts of one side as tokens, and how many were cut."""
    rows = [encoded(tokenizer, text) for text in texts]
    cut = sum(len(row) >= context for row in rows)
    end = torch.tensor([mark])
    kept = [torch.cat([row[: context - 1], end]) for row in rows]
    lengths = torch.tensor([len(row) for row in kept], dtype=torch.long)
    tokens = torch.cat(kept) if kept else torch.empty(0, dtype=torch.long)
    return Side(tokens, lengths, lengths.cumsum(0) - lengths), cut


def encoded(tokenizer: Tokenizer, text: str) -> Int[Tensor, " t"]:
    """The tokens of a text with a space before it, so that its first word is the word it is elsewhere."""
    return tokenizer.encode(f" {text.strip()}")
