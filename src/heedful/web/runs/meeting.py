"""A run that matches questions, kept open: what a question means, and which of its words met which of the entry's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

from heedful.explanations.subject import Subject
from heedful.layers.attention import AttentionLayer
from heedful.tasks.explained.matched import of_question
from heedful.tasks.match.answer import Meant
from heedful.tasks.match.loading import load_matcher
from heedful.tasks.match.matched import Matching, open_matching
from heedful.tasks.match.met import layers_of, pairs_of
from heedful.tasks.task import Answer, Asked, Record, View
from heedful.web.reading import Map, Reading
from heedful.web.runs.muting import across
from heedful.web.runs.planned import CROSSES, HEADLESS
from heedful.web.runs.run import Wanted
from heedful.web.runs.texts import sizes
from heedful.web.runs.way import Way
from heedful.web.runs.why import COUNTED

NOTHING = "nothing that is known"


@final
class Meeting(Way):
    """A matcher with its index."""

    methods = COUNTED

    def __init__(self, path: Path) -> None:
        self.loaded = load_matcher(path)
        self.model = self.loaded.model
        self.matching: Matching = open_matching(self.loaded)

    @property
    def heads(self) -> Sequence[AttentionLayer]:
        """The layers in which a question looks at an entry."""
        reranker = self.loaded.model.reranker
        return [] if reranker is None else across(reranker.layers)

    @property
    def why_unplanned(self) -> str | None:
        """Its only heads look across."""
        return CROSSES if self.heads else HEADLESS

    def facts(self) -> Record:
        """Classes and sizes."""
        return {"labels": list(self.matching.index.names), "context": self.loaded.model.context, **sizes(self.loaded.model)}

    def answer(self, text: str, asked: Asked) -> Answer:
        """What a question means."""
        return Meant(self.matching, text, abstain=asked.abstain)

    def reading(self, wanted: Wanted) -> Reading:
        """What a question means, and how far each of its words met each of its best entry's."""
        found = Meant(self.matching, wanted.text).record()
        best = found["matches"][0]
        pairs = pairs_of(self.matching, wanted.text, best["entry"], View())
        maps = tuple(Map(name, weights, 0, 1) for name, weights in layers_of(self.matching, wanted.text, best["entry"])[1])
        shares = {match["label"]: match["probability"] for match in found["matches"]}
        record = {**found, "label": found["label"] or NOTHING, "probabilities": shares}
        notes = (f"The nearest entry: {best['entry']}", f"Words meet by {pairs.by}.")
        counted = pairs.counted.tolist()
        sides = ("The question", "The entry")
        texts = tuple([f"␣{word}" for word in words] for words in (pairs.asked, pairs.entry))
        return Reading(record, texts, maps, counted, notes=notes, aligned=True, sides=sides)

    def subject(self, wanted: Wanted) -> Subject:
        """The likeliest class."""
        return of_question(self.matching, wanted.text)
