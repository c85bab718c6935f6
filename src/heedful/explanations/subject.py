"""What is explained: one input cut into units (tokens, words, patches, past items), a model, and one answer of it.

A method never sees a model. It sees a `Subject`, and asks of it only what it needs; whoever brings a new kind of input (an image, a
spectrogram, a history, a pair) writes one subclass and has every method, every measure and the pictures. What must be given:

- `names`, `places`: the units, and at which places of the model's input each stands (places of no unit are never taken away);
- `scored(kept)`: the answer's log-probability where only some units are left, many choices at once. Perturbing methods and all
  measures of faithfulness need no more than this;
- `features`, `of_features`, `baseline`: the vectors that the model reads, the log-probability as a differentiable function of them, and
  what stands for "nothing". Gradient methods need them; a subject without them says why in `no_gradients`;
- `looked`, `reading`, `ruled`, `silenced`: the attention layers of one pass, how much the answer reads of each place behind the last of
  them, and passes under changed rules or without heads. Attention methods need them; without them `no_attention` says why.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from heedful.explanations.faithfulness.truth import Truth
from heedful.explanations.markup import Markup, join
from heedful.explanations.parts.axes import Axes
from heedful.explanations.parts.marks import marks
from heedful.explanations.parts.overlay import Cover, Laying, overlay
from heedful.explanations.parts.photograph import faded, photograph
from heedful.explanations.parts.thumbnail import gallery
from heedful.explanations.rules.rules import Rules


class Grid(NamedTuple):
    """A picture whose cells the units are, row by row; `axes` say what its sides measure, where they measure anything."""

    pixels: UInt8[Tensor, "c h w"]
    rows: int
    columns: int
    axes: Axes | None = None


Rows = Callable[[int, int], Float[Tensor, "h rows k"]]


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One attention layer in one pass over one input.

    `rows(first, end)` are the weights (h, rows, k) of some queries, made when asked for, so that no q x k tensor need exist; `out`
    (1, h, q, v) are the heads' outputs, in the graph of the answer; `values` (h, k, v) what they mix; `write` (h, v, m) what each head's
    output adds to the stream, None where it is not known. `side` says which stream the queries and keys are of.
    """

    name: str
    rows: Rows
    out: Float[Tensor, "1 h q v"]
    values: Float[Tensor, "h k v"]
    write: Float[Tensor, "h v m"] | None = None
    side: Literal["self", "source", "cross"] = "self"

    @property
    def heads(self) -> int:
        """How many heads."""
        return self.out.shape[1]

    @property
    def size(self) -> tuple[int, int]:
        """Queries and keys."""
        return self.out.shape[2], self.values.shape[1]

    def blocks(self, most: int = 256) -> list[tuple[int, int]]:
        """The queries, some at a time."""
        count = self.size[0]
        return [(first, min(first + most, count)) for first in range(0, count, most)]


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """One pass: the answer's log-probability, a number in the graph, and its attention layers from the first to the last."""

    score: Float[Tensor, ""]
    layers: tuple[Look, ...]


class Subject(ABC):
    """One input and one answer of a model; see the module for what each part is for."""

    names: tuple[str, ...]  # what each unit is called
    places: tuple[tuple[int, ...], ...]  # of each unit, in the model's input
    answer: str  # what is explained, in words
    parts: tuple[tuple[str, int], ...] = ()  # what the units are of, where of several: a name and how many, one after the other
    grid: Grid | None = None  # the picture that the units are cells of
    truth: Truth | None = None  # which units are known to be right, where the data say so
    contrast: str | None = None  # what it is held against; then every score is log p(answer) - log p(contrast)
    replacements: tuple[str, ...] = ("delete",)  # what can be done to a unit; the first unless another is asked for
    no_gradients: str | None = None
    no_attention: str | None = None
    no_layers: str | None = None  # why its layers cannot be looked into although it says what the answer reads

    @property
    def count(self) -> int:
        """How many units there are."""
        return len(self.names)

    @abstractmethod
    def scored(self, kept: Bool[Tensor, "s n"], replacement: str | None = None) -> Float[Tensor, " s"]:
        """The log-probability of the answer where only some of the units are left, row by row; float64."""

    @property
    @abstractmethod
    def features(self) -> Float[Tensor, "t m"]:
        """What the model reads at each place."""

    @property
    @abstractmethod
    def baseline(self) -> Float[Tensor, "t m"]:
        """What it would read where there is nothing; the features themselves at places of no unit."""

    @abstractmethod
    def of_features(self, features: Float[Tensor, "b t m"]) -> Float[Tensor, " b"]:
        """The log-probability of the answer as a differentiable function of the features."""

    @property
    @abstractmethod
    def reading(self) -> Float[Tensor, " t"]:
        """How much the answer reads of each place of the stream behind the last layer: 1 together."""

    @abstractmethod
    def looked(self) -> Looked:
        """A pass with every attention layer kept; an encoder's layers (`source`) before a decoder's."""

    @abstractmethod
    def ruled(self, rules: Rules) -> AbstractContextManager[None]:
        """Within it backward passes follow other rules; the answers stay what they are."""

    @abstractmethod
    def silenced(self, heads: Sequence[tuple[int, int]]) -> Float[Tensor, " s"]:
        """The log-probability of the answer without one head, (layer, head) counted from 0, for each of them."""

    @abstractmethod
    def randomised(self, seed: int) -> Subject:
        """The same input and answer under a model whose weights are drawn anew, each tensor with its own mean and spread."""

    def whole(self) -> Bool[Tensor, "1 n"]:
        """Every unit kept."""
        return torch.ones(1, self.count, dtype=torch.bool)

    def probability(self, scores: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Log-probabilities as probabilities; against a contrast the answer's share of the two."""
        return scores.exp() if self.contrast is None else torch.sigmoid(scores)

    def drawn(self, scores: Float[Tensor, " n"], title: str, shaded: bool = True) -> Markup:
        """The units in the shades of their scores, on one scale: a text, each of several texts; a subject of another kind says how."""
        if self.grid is not None:
            return over_grid(self.grid, scores, Laying(self.names, self.grid.axes, True, shaded, title), self.answer)
        parts, first, shown = self.parts or ((title, self.count),), 0, []
        top = float(scores.abs().max())
        for name, count in parts:
            some = slice(first, first + count)
            shown.append(marks(self.names[some], scores[some], name if name == title else f"{name}: {title}", shaded, top))
            first += count
        return join(*shown)

    def by_unit(self, values: Float[Tensor, " t"]) -> Float[Tensor, " n"]:
        """What is known of each place, summed over the places of each unit."""
        values = values.detach().double().cpu()
        return torch.stack([values[list(places)].sum() for places in self.places])


def over_grid(grid: Grid, scores: Float[Tensor, " n"], how: Laying, answer: str) -> Markup:
    """A picture as it is beside the same under the shades of its cells; of a spectrogram, which needs all the width, the latter alone."""
    counted = [Cover("what counts", scores.view(grid.rows, grid.columns))]
    shaded = overlay(faded(grid.pixels), counted, "what counts", how)
    return shaded if grid.axes is not None else gallery([photograph(grid.pixels, "as it is", note=answer), shaded], large=True)
