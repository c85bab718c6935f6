"""Items of a log as tokens: a piece is an item's id, and a text is ids with white space between them."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.tokens.tokenizer import Tokenizer
from heedful.errors import UsageError


class Items(Tokenizer):
    """The items that a model knows, the most frequent first, with their titles, and the words and attributes that items are read by.

    >>> items = Items.train(["tea milk tea bread"], 2)
    >>> items.names, items.encode("bread tea").tolist()
    (['tea', 'bread'], [1, 0])
    """

    kind: ClassVar[str] = "items"

    def __init__(self, names: Sequence[str], titles: Mapping[str, str] | None = None, features: Sequence[str] = ()) -> None:
        self.names, self.titles, self.features = list(names), dict(titles or {}), list(features)
        self.ids = {name: i for i, name in enumerate(self.names)}
        self.feature_ids = {feature: i for i, feature in enumerate(self.features)}
        self.pieces = [f" {name}".encode() for name in self.names]

    @classmethod
    def train(cls, texts: Sequence[str], size: int | None) -> Self:
        """The `size` most frequent items of the first text (ties in alphabetical order)."""
        return cls(most_frequent(texts[0].split(), size))

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """The items in `state`."""
        return cls(state["names"], state["titles"], state["features"])

    def state(self) -> dict[str, Any]:
        """Names in the order of their ids, titles, and features in the order of theirs."""
        return {"names": self.names, "titles": self.titles, "features": self.features}

    def encode(self, text: str) -> Int[Tensor, " t"]:
        """The ids of a history; `UsageError` for an item that is not known, with the nearest that is."""
        return torch.tensor([self.id_of(name) for name in text.split()], dtype=torch.long)

    def id_of(self, name: str) -> int:
        """The id of one item."""
        if name not in self.ids:
            close = difflib.get_close_matches(name, self.names, n=1, cutoff=0.6)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise UsageError(f"unknown item {name!r}: {hint}the model knows {self.size:,} items, such as {', '.join(self.names[:3])}")
        return self.ids[name]

    def title(self, item: int) -> str:
        """An item as people know it: its title where there is one, its id otherwise."""
        return self.titles.get(self.names[item], self.names[item])

    def show(self, token: int) -> str:
        """One item as a reader sees it."""
        return self.title(token)


def most_frequent(names: Sequence[str], size: int | None) -> list[str]:
    """The `size` most frequent names, all if None; ties in alphabetical order."""
    counts = Counter(names)
    return sorted(counts, key=lambda name: (-counts[name], name))[:size]
