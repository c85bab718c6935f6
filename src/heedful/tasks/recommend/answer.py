"""What to take next after one history, which may be anybody's: nothing is trained again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final

import numpy as np
import torch
from jaxtyping import Float

from heedful.data.interactions.log import Described, words
from heedful.data.interactions.tables import seconds
from heedful.errors import UsageError
from heedful.models.ranker.items import Catalogue
from heedful.models.ranker.ranker import without
from heedful.tasks.recommend.evaluation import taken
from heedful.tasks.recommend.features import numbered
from heedful.tasks.recommend.loading import LoadedRanker
from heedful.tasks.recommend.scorer import History
from heedful.tasks.task import Record

LISTED: Final = 10
FIELDS: Final = ("history", "times", "user", "new", "candidates")


@dataclass(frozen=True)
class Request:
    """A history by the items' names, its times (seconds or dates), the attributes of the user, new items, and what to choose from.

    >>> Request.read("tea bread").history
    ('tea', 'bread')
    >>> Request.read('{"history": ["tea"], "new": {"cake": {"title": "Lemon cake", "attributes": ["topic=baking"]}}}').new["cake"].features
    ('topic=baking', 'lemon', 'cake')
    """

    history: tuple[str, ...]
    times: tuple[float, ...] = ()
    user: tuple[str, ...] = ()
    new: Mapping[str, Described] = field(default_factory=dict)
    candidates: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Request:
        """A request as words, or as a JSON object; `UsageError` for what is neither."""
        if not text.lstrip().startswith("{"):
            return cls(tuple(text.split()))
        try:
            found = json.loads(text)
        except ValueError as error:
            raise UsageError(f"the input begins as a JSON object and is none: {error}") from None
        strange = [name for name in found if name not in FIELDS]
        if strange:
            raise UsageError(f"the input has a field {strange[0]!r}: {', '.join(FIELDS)} would work")
        for name in ("history", "times", "user", "candidates"):
            if not isinstance(found.get(name, []), list):
                raise UsageError(f"the input's {name} wants a list, found {found[name]!r}")
        new = found.get("new", {})
        if not isinstance(new, dict) or not all(isinstance(about, dict) for about in new.values()):
            raise UsageError(
                'the input\'s new wants items by name, such as {"cake": {"title": "Lemon cake", "attributes": ["topic=baking"]}}'
            )
        history = tuple(map(str, found.get("history", [])))
        times = tuple(seconds("the input", when) for when in found.get("times", []))
        if times and len(times) != len(history):
            raise UsageError(f"the input has {len(history)} items and {len(times)} times: one each, or no times, would work")
        described = {name: described_by(about) for name, about in new.items()}
        return cls(history, times, tuple(map(str, found.get("user", []))), described, tuple(map(str, found.get("candidates", []))))


def described_by(about: Mapping[str, Any]) -> Described:
    """A title and attributes as features, in the order that tables give them."""
    title = str(about.get("title", ""))
    return Described(title, tuple(dict.fromkeys([*map(str, about.get("attributes", [])), *words(title)])))


@final
class Recommended:
    """The items that come next, the likeliest first.

    Errors: `UsageError` for an item that is neither known nor described.
    """

    prompt = ""

    def __init__(self, loaded: LoadedRanker, text: str, count: int = 0) -> None:
        self.loaded, self.text, self.count = loaded, text, count or LISTED
        self.request = Request.read(text)
        self.catalogue: Catalogue = loaded.catalogue(list(self.request.new.values()))
        self.history = self.numbered(self.request)
        self.allowed = [self.id_of(name) for name in self.request.candidates]

    def id_of(self, name: str) -> int:
        """The number of a known or a new item."""
        new = list(self.request.new)
        return self.loaded.tokenizer.size + new.index(name) if name in new else self.loaded.tokenizer.id_of(name)

    def item_named(self, name: str) -> int:
        """The number of an item by its name or its title, of those that may be recommended."""
        titled = [i for i in range(len(self.catalogue.bias)) if self.title(i) == name]
        item = titled[0] if titled else self.id_of(name)
        if not torch.isfinite(self.logarithms([self.history])[0, item]):
            raise UsageError(f"{self.said(item)} is not recommended here (it was had, or is no candidate): another item would work")
        return item

    def numbered(self, request: Request) -> History:
        """The history as numbers; without times, each item a day after the one before."""
        items = np.array([self.id_of(name) for name in request.history], dtype=np.int64)
        times = np.array(request.times or [86_400.0 * i for i in range(len(items))], dtype=np.int64)
        content = self.loaded.model.spec.content
        if self.loaded.model.reader is None or content is None:
            return History(items, times)
        return History(items, times, numbered([Described("", request.user)], self.loaded.tokenizer.feature_ids, content.most)[0].numpy())

    def name(self, item: int) -> str:
        """An item's name."""
        known = self.loaded.tokenizer.names
        return known[item] if item < len(known) else list(self.request.new)[item - len(known)]

    def title(self, item: int) -> str:
        """An item as people know it."""
        return (
            self.loaded.tokenizer.title(item)
            if item < self.loaded.tokenizer.size
            else self.request.new[self.name(item)].title or self.name(item)
        )

    def logarithms(self, histories: Sequence[History]) -> Float[torch.Tensor, "b v"]:
        """log P(next) over the items that may be recommended after this history, for each of several variants of it."""
        return self.likely(self.loaded.scores(histories, self.catalogue))

    def likely(self, scores: Float[torch.Tensor, "b v"]) -> Float[torch.Tensor, "b v"]:
        """The same of scores: what was had or may not be chosen is out of the question."""
        if not self.loaded.data.repeats and len(self.history.items):
            scores = without(scores, taken([self.history], scores.shape[1]).to(scores.device).expand(len(scores), -1))
        if self.allowed:
            others = torch.ones(scores.shape[1], dtype=torch.bool, device=scores.device)
            others[self.allowed] = False
            scores = scores.masked_fill(others, -torch.inf)
        return scores.double().log_softmax(1)

    def best(self) -> list[tuple[int, float]]:
        """The likeliest items and log P of each."""
        found = self.logarithms([self.history])[0]
        top = found.topk(min(self.count, len(found)))
        return [(i, value) for value, i in zip(top.values.tolist(), top.indices.tolist(), strict=True) if value > -np.inf]

    def pieces(self) -> Iterator[str]:
        """A line an item."""
        yield "\n".join(f"{place:>3}. {self.said(item)}  {np.exp(value):.2%}" for place, (item, value) in enumerate(self.best(), start=1))

    def said(self, item: int) -> str:
        """Title and name, or the name alone."""
        return self.title(item) if self.title(item) == self.name(item) else f"{self.title(item)} [{self.name(item)}]"

    def record(self) -> Record:
        """The history, and the items with their probabilities."""
        return {"history": list(self.request.history), "items": [self.listed(item, value) for item, value in self.best()]}

    def listed(self, item: int, value: float) -> Record:
        """One recommended item."""
        new = {"new": True} if item >= self.loaded.tokenizer.size else {}
        return {"item": self.name(item), "title": self.title(item), "probability": round(float(np.exp(value)), 6), **new}
