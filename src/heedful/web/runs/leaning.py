"""A run of recommendations, kept open: what comes next, and which past items each of them looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

from heedful.explanations.subject import Subject
from heedful.layers.attention import AttentionLayer
from heedful.models.ranker.blocks import CausalBlock
from heedful.models.ranker.history import HistoryRanker
from heedful.tasks.explained.histories import Past, of_history, why_no_layers
from heedful.tasks.recommend.answer import Recommended
from heedful.tasks.recommend.leaning import attended, layers_of
from heedful.tasks.recommend.loading import load_ranker
from heedful.tasks.task import Answer, Asked, Record, View
from heedful.web.reading import Map, Reading
from heedful.web.runs.run import Wanted
from heedful.web.runs.texts import sizes
from heedful.web.runs.way import Way
from heedful.web.runs.why import COUNTED, OF_TOKENS, UNSEEN


@final
class Leaning(Way):
    """A recommender."""

    def __init__(self, path: Path) -> None:
        self.loaded = load_ranker(path)
        self.model = self.loaded.model
        voted = isinstance(self.model, HistoryRanker) and self.model.votes is not None
        self.methods = COUNTED if voted else OF_TOKENS if self.why_unread is None else UNSEEN

    @property
    def why_unread(self) -> str | None:
        """Why there are no heads over past items."""
        return why_no_layers(self.loaded.model)

    @property
    def why_unplanned(self) -> str | None:
        """Layers of causal attention can be planned."""
        return self.why_unread

    @property
    def heads(self) -> Sequence[AttentionLayer]:
        """The layers over past items."""
        model = self.loaded.model
        found = model.layers if isinstance(model, HistoryRanker) else ()
        return [layer.attention for layer in found if isinstance(layer, CausalBlock)]

    def facts(self) -> Record:
        """Sizes."""
        return {"items": self.loaded.tokenizer.size, "context": self.loaded.model.context, **sizes(self.loaded.model)}

    def answer(self, text: str, asked: Asked) -> Answer:
        """What comes after a history."""
        return Recommended(self.loaded, text)

    def reading(self, wanted: Wanted) -> Reading:
        """What comes after a history, and the weights of every head over it."""
        answer = Recommended(self.loaded, wanted.text)
        past, record = of_history(answer), answer.record()
        best = {each["title"]: each["probability"] for each in record["items"]}
        first, share = next(iter(best.items()))
        told = {**record, "label": first, "confidence": share, "probabilities": best}
        read = None if past.no_attention else attended(answer, past.read, past.item, View()).tolist()
        return Reading(told, ([f"␣{name}" for name in past.names],), maps_of(answer, past), read)

    def subject(self, wanted: Wanted) -> Subject:
        """The likeliest item."""
        return of_history(Recommended(self.loaded, wanted.text))


def maps_of(answer: Recommended, past: Past) -> tuple[Map, ...]:
    """The layers over past items, where they can be shown."""
    if past.watchable is not None:
        return ()
    return tuple(Map(f"layer {i}", weights) for i, weights in enumerate(layers_of(answer, past.read), start=1))
