"""What a model read of a text, kept so that any head of it can be looked at: tokens, and the weights of every layer.

Keys that take most of a head's weight whatever the query are sinks (Xiao et al. 2023, arXiv 2309.17453; Gu et al. 2024,
arXiv 2410.10781, §3.1, whose measure and threshold these are): they stand on a scale of their own, or nothing else would be seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from heedful.errors import UsageError
from heedful.explanations.parts.axes import Axes
from heedful.explanations.parts.photograph import address

SINK: Final = 0.3  # of the weight of the queries that can see a key, on average
FEWEST: Final = 8  # keys, below which such a share is nothing special


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """The weights (h, q, k) of one layer, and which of a reading's texts its queries and keys are."""

    name: str
    weights: Float[Tensor, "h q k"]
    queries: int = 0
    keys: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A picture (c, h, w) in bytes, over which a text lies: its tokens are cells in reading order, `columns` of them in a row.

    `text` says which one, `axes` what the sides of the picture measure, where they measure anything.
    """

    pixels: UInt8[Tensor, "c h w"]
    columns: int
    text: int = 0
    axes: Axes | None = None

    @property
    def address(self) -> str:
        """The picture as a data address."""
        return address(self.pixels)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """An answer with what was read for it.

    Arguments:
        record: the answer, as JSON data.
        texts: the tokens of each text; text 0 is what the answer is about.
        maps: one for each layer that attends.
        counted: how much each token of text 0 counted, by the model's own weights; None for a continuation.
        start: of text 0, the first token that the model made; None where it made none.
        likely: for each token made, the likeliest ones in its place with their probabilities.
        split: of a pair in text 0, the first token of the second text.
        silent: the heads that were muted.
        aligned: text 0 was written for text 1, at which its tokens looked.
        laid: the picture that the tokens of one of the texts are cells of.
        sides: what text 0 and text 1 are called, where they are aligned.
        mutable: its heads are layers of ours, which can be muted.
    """

    record: Mapping[str, Any]
    texts: tuple[Sequence[str], ...]
    maps: tuple[Map, ...]
    counted: Sequence[float] | None = None
    start: int | None = None
    likely: Sequence[Sequence[tuple[str, float]]] = ()
    split: int | None = None
    silent: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = field(default=())
    aligned: bool = False
    laid: Laid | None = None
    sides: tuple[str, str] = ("What was written", "What was read")
    mutable: bool = True

    @property
    def bytes(self) -> int:
        """What the weights take."""
        return sum(each.weights.numel() * each.weights.element_size() for each in self.maps)

    def index(self) -> dict[str, Any]:
        """All but the weights."""
        layers = [
            {"name": each.name, "heads": each.weights.shape[0], "queries": each.queries, "keys": each.keys, "silent": self.muted(i)}
            for i, each in enumerate(self.maps)
        ]
        told: dict[str, Any] = {
            "record": self.record,
            "texts": [list(text) for text in self.texts],
            "layers": layers,
            "counted": self.counted,
        }
        told |= {"aligned": self.aligned, "columns": None, "over": None, "mutable": self.mutable}
        if self.laid is not None:
            told |= {"columns": self.laid.columns, "over": self.laid.text}
        return {**told, "start": self.start, "split": self.split, "likely": [list(map(list, row)) for row in self.likely]}

    def muted(self, layer: int) -> list[int]:
        """The heads of a layer that were muted."""
        return [head for number, head in self.silent if number == layer]

    def head(self, layer: int | None, head: int | None) -> Float[Tensor, "q k"]:
        """The weights of a head; of a layer's mean over its heads, or of all layers', where a number is left out.

        Errors: `UsageError` for numbers there are not.
        """
        if layer is None:
            same = [each for each in self.maps if (each.queries, each.keys) == (self.maps[0].queries, self.maps[0].keys)]
            return torch.stack([each.weights.float().mean(0) for each in same]).mean(0)
        if not 0 <= layer < len(self.maps):
            raise UsageError(f"layer {layer + 1}: the model has {len(self.maps)}; 1 to {len(self.maps)} would work")
        weights = self.maps[layer].weights
        if head is None:
            return weights.float().mean(0)
        if not 0 <= head < len(weights):
            raise UsageError(f"head {head + 1}: the layer has {len(weights)}; 1 to {len(weights)} would work")
        return weights[head].float()


def sinks_of(weights: Float[Tensor, "q k"], back: bool) -> list[int]:
    """The keys that are sinks of a head; `back` says that a query sees the keys up to its own place only.

    >>> weights = torch.full((16, 16), 0.02)
    >>> weights[:, 0] = 0.7
    >>> sinks_of(weights, back=False)
    [0]
    """
    queries, keys = weights.shape
    if keys < FEWEST:
        return []
    seeing = torch.full((keys,), queries)
    if back:
        seeing = (queries - (torch.arange(keys) - (keys - queries)).clamp(min=0)).clamp(min=1)
    share = weights.sum(0) / seeing
    least = max(FEWEST // 2, queries // 4)  # what only the last queries can see is near them, and no sink
    return [int(key) for key in ((share > SINK) & (seeing >= min(least, queries))).nonzero()[:, 0]]


def looks_back(weights: Float[Tensor, "q k"]) -> bool:
    """Whether no query reads what comes after it."""
    queries, keys = weights.shape
    return keys >= queries > 1 and not bool(weights.triu(keys - queries + 1).any())
