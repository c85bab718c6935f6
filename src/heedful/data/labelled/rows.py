"""Labelled texts as tokens, each cut to what a model reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from heedful.data.labelled.texts import Texts
from heedful.data.tokens import Tokenizer
from heedful.spec.data import Kept


@dataclass(frozen=True)
class Rows:
    """The tokens of all texts in one row, where each begins, how many it has and its class; `cut` texts were longer than was read.

    `marks` says which tokens readers marked as the reason of a text's class, where anybody did.
    """

    tokens: Int[Tensor, " n"]
    starts: Int[Tensor, " rows"]
    lengths: Int[Tensor, " rows"]
    labels: Int[Tensor, " rows"]
    cut: int = 0
    marks: Bool[Tensor, " n"] | None = None

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def whole(self) -> tuple[Int[Tensor, " n"], Int[Tensor, " rows"], Int[Tensor, " rows"]]:
        """All tokens in one row, how many each text has, and its class."""
        return self.tokens, self.lengths, self.labels

    def padded(self, places: Int[Tensor, " b"]) -> tuple[Int[Tensor, "b t"], Int[Tensor, " b"]]:
        """The texts at `places` as one batch, zeros after their ends, and their lengths."""
        index, inside = self.index(places)
        return self.tokens[index] * inside, self.lengths[places]

    def marked(self, places: Int[Tensor, " b"]) -> Bool[Tensor, "b t"] | None:
        """Which of the same tokens are marked; None where nothing is known of it."""
        if self.marks is None:
            return None
        index, inside = self.index(places)
        return self.marks[index] & inside

    def index(self, places: Int[Tensor, " b"]) -> tuple[Int[Tensor, "b t"], Bool[Tensor, "b t"]]:
        """Where the tokens of some texts stand, and which of them are no padding."""
        lengths = self.lengths[places]
        index = self.starts[places, None] + torch.arange(int(lengths.max()))
        return index.clamp(max=len(self.tokens) - 1), torch.arange(index.shape[1]) < lengths[:, None]


def rows_of(texts: Texts, labels: Sequence[str], tokenizer: Tokenizer, context: int, keep: Kept = "ends") -> Rows:
    """The texts as tokens, `context` of each at most (all where they are read in windows), and the place of each class among `labels`.

    >>> from heedful.data.tokens import train_tokenizer
    >>> rows = rows_of(Texts(("abc", "b"), ("x", "y")), ("x", "y"), train_tokenizer("char", ["abc"]), context=2, keep="head")
    >>> rows.lengths.tolist(), rows.labels.tolist(), rows.cut, rows.padded(torch.tensor([0, 1]))[0].tolist()
    ([2, 1], [0, 1], 1, [[0, 1], [1, 0]])
    """
    place = {label: i for i, label in enumerate(labels)}
    whole = [tokenizer.encode(text) for text in texts.texts]
    kept = [shortened(ids, len(ids) if keep == "windows" else context, keep) for ids in whole]
    lengths = torch.tensor([len(ids) for ids in kept], dtype=torch.long)
    tokens = torch.cat(kept) if kept else torch.zeros(0, dtype=torch.long)
    classes = torch.tensor([place[label] for label in texts.labels], dtype=torch.long)
    return Rows(tokens, lengths.cumsum(0) - lengths, lengths, classes, sum(len(ids) > context for ids in whole))


def shortened(ids: Int[Tensor, " t"], context: int, keep: Kept) -> Int[Tensor, " s"]:
    """At most `context` tokens of a text, one at least."""
    if len(ids) == 0:
        return torch.zeros(1, dtype=torch.long)
    if len(ids) <= context:
        return ids
    head = {"head": context, "tail": 0, "ends": context // 4, "windows": context}[keep]
    return torch.cat([ids[:head], ids[len(ids) - (context - head) :]])
