"""A history as a subject: the items that somebody had, and one that is recommended after them."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Final, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.explanations.markup import Markup
from heedful.explanations.parts.bars import Bar, bars
from heedful.manage.still import still
from heedful.models.ranker.blocks import CausalBlock
from heedful.models.ranker.history import HistoryRanker
from heedful.models.ranker.items import Catalogue
from heedful.models.ranker.ranker import Histories, Ranker
from heedful.tasks.explained.modelled import Modelled
from heedful.tasks.recommend.answer import Recommended
from heedful.tasks.recommend.leaning import attended
from heedful.tasks.recommend.loading import readable
from heedful.tasks.recommend.scorer import History
from heedful.tasks.task import View

CANDIDATES: Final = "every candidate asks the history in one layer of its own, and layers of a stream there are none: attention would work"
COUNTED: Final = "votes that were counted are added to what the model reads, and counts have no gradient: measured or occlusion would work"
POINTWISE: Final = "its pointwise attention has no weights that sum to one, and is none of our layers: quick or measured would work"


@final
class Past(Modelled):
    """The items of a history that the model reads, and one that may come next; see `Subject`.

    What is taken away is as if it had never been: the others stay as they were, with their times, and it is not recommended either.
    """

    replacements = ("delete", "baseline")

    def __init__(self, answer: Recommended, item: int, against: int | None = None) -> None:
        self.recommended, self.item, self.against = answer, item, against
        self.model = self.ranker = answer.loaded.model
        self.read = readable(answer.history, len(answer.catalogue.bias), self.ranker.context)
        if not len(self.read.items):
            raise UsageError("an empty history leans on nothing: one item or more would work")
        self.names = tuple(answer.said(int(each)) for each in self.read.items)
        self.places = tuple((i,) for i in range(len(self.names)))
        self.answer = answer.said(item)
        self.contrast = None if against is None else answer.said(against)
        self.watchable = self.no_layers = why_no_layers(self.ranker)
        self.no_gradients = COUNTED if isinstance(self.ranker, HistoryRanker) and self.ranker.votes is not None else None
        self.no_attention = POINTWISE if self.watchable == POINTWISE else None

    @torch.no_grad()
    def scored(self, kept: Bool[Tensor, "s n"], replacement: str | None = None) -> Float[Tensor, " s"]:
        """The log-probability of the item where only some of the past ones are left."""
        way = replacement or self.replacements[0]
        if way not in self.replacements:
            raise UsageError(f"replacement {way!r}: items of a history have {', '.join(self.replacements)}")
        if way == "baseline":
            return self.of_gone(self.places_of(kept), self.baseline)
        stays = [row.numpy() for row in kept]
        some = [History(self.read.items[row], self.read.times[row], self.read.traits) for row in stays]
        return self.log_probability(self.recommended.logarithms(some))

    def log_probability(self, found: Float[Tensor, "s v"]) -> Float[Tensor, " s"]:
        """Of the item, less that of the contrast."""
        mine: Tensor = found[:, self.item]
        return mine if self.against is None else mine - found[:, self.against]

    @cached_property
    def catalogue(self) -> Catalogue:
        """All items as they are ranked, where gradients may pass."""
        given = self.recommended.catalogue
        return Catalogue(given.vectors.detach().clone(), given.bias.detach().clone())

    @cached_property
    def features(self) -> Float[Tensor, "t m"]:
        """The vectors of the past items, as large as the model reads them."""
        ids = torch.from_numpy(self.read.items).to(self.catalogue.bias.device)
        found: Tensor = self.catalogue.vectors[ids].detach() * self.catalogue.vectors.shape[1] ** 0.5
        return found

    @cached_property
    def baseline(self) -> Float[Tensor, "t m"]:
        """The mean of all items' vectors."""
        mean: Tensor = self.catalogue.vectors.mean(0) * self.catalogue.vectors.shape[1] ** 0.5
        return mean.detach().expand_as(self.features)

    def of_features(self, features: Float[Tensor, "b t m"]) -> Float[Tensor, " b"]:
        """The log-probability of the item as a function of the past ones' vectors; counted votes, if there are any, stay as they are."""
        count, device = len(features), features.device
        rows = (self.read.items, self.read.times)
        ids, times = (torch.from_numpy(row).to(device).expand(count, -1) for row in rows)
        traits = None if self.read.traits is None else torch.from_numpy(self.read.traits).to(device).expand(count, -1)
        with still(self.model):
            scores = self.ranker.scores(Histories(ids, None, times, traits, features), self.catalogue)
        return self.log_probability(self.recommended.likely(scores))

    def told(self) -> Float[Tensor, " t"] | None:
        """The last place, which alone is read, or, where the candidate asks, what it reads of each item."""
        if self.watchable == CANDIDATES:
            return attended(self.recommended, self.read, self.item, View())
        return torch.eye(len(self.names))[-1]

    def drawn(self, scores: Float[Tensor, " n"], title: str, shaded: bool = True) -> Markup:
        """A bar an item, in the order of the history."""
        rows = [Bar(name, float(score) if shaded else 0.0) for name, score in zip(self.names, scores, strict=True)]
        return bars(rows, title, "")

    def again(self, model: nn.Module) -> Past:
        """The same history and item under another model."""
        assert isinstance(model, Ranker)
        answer = self.recommended
        return Past(Recommended(replace(answer.loaded, model=model), answer.text, answer.count), self.item, self.against)


def why_no_layers(model: Ranker) -> str | None:
    """Why its layers cannot be looked into; None where they can."""
    if not isinstance(model, HistoryRanker):
        return CANDIDATES
    return None if all(isinstance(layer, CausalBlock) for layer in model.layers) else POINTWISE


def of_history(answer: Recommended, target: object = None, contrast: object = None) -> Past:
    """Why this item: the first of those recommended unless given, by its name or title."""
    item = answer.best()[0][0] if target is None else answer.item_named(str(target))
    against = None if contrast is None else answer.item_named(str(contrast))
    if against == item:
        raise UsageError(f"{answer.said(item)} against itself says nothing: another contrast would work")
    return Past(answer, item, against)
