"""A run that writes one text for another, kept open: what it wrote, and which words of the source each word was read from."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import final

from heedful.errors import HeedfulError, UsageError
from heedful.layers.attention import AttentionLayer
from heedful.models.seq2seq.transformer import Transformer
from heedful.tasks.explained.writing import Written, of_written, wanted_of
from heedful.tasks.summarise.answer import Summarised
from heedful.tasks.table import task_of
from heedful.tasks.task import Answer, Asked, Explanation, Record, View
from heedful.tasks.translate.answer import Translated, translations
from heedful.tasks.translate.loading import load_seq2seq
from heedful.tasks.translate.units import END
from heedful.tasks.translate.writing import looked
from heedful.web.reading import Map, Reading
from heedful.web.runs.muting import muted
from heedful.web.runs.run import ByHand, Kind, Reasons, Wanted
from heedful.web.runs.texts import sizes
from heedful.web.runs.why import OF_TOKENS, why


@final
class OpenWriter:
    """Translations or summaries, one after the other: a search is a batch by itself.

    Errors: those of loading a run, and `UsageError` for a plan.
    """

    methods = OF_TOKENS
    takes: Kind = "text"
    by_hand: ByHand | None = None
    goes_on, reads, why_unread = False, True, None

    def __init__(self, path: Path, plan: Path | None = None) -> None:
        self.path, self.door, self.loaded = path, task_of(path), load_seq2seq(path)
        self.task = self.door.name
        if plan is not None:
            raise UsageError(f"--plan is for runs of classify and generate: {path} is one of {self.task}, and without it would work")

    @cached_property
    def across(self) -> list[AttentionLayer]:
        """The layers that look from what is written to what was read, where they have heads."""
        model = self.loaded.model
        return [block.cross for block in model.blocks if block.cross is not None] if isinstance(model, Transformer) else []

    def facts(self) -> Record:
        """Sizes."""
        model = self.loaded.model
        return {"vocabulary": model.vocabulary, "context": model.context, **sizes(model)}

    def answers(self, inputs: Sequence[str], asked: Asked) -> list[Record | HeedfulError]:
        """What each input becomes."""
        return [self.recorded(text, asked) for text in inputs]

    def recorded(self, text: str, asked: Asked) -> Record | HeedfulError:
        """What a text becomes, or why nothing."""
        try:
            return self.answer(text, asked).record()
        except HeedfulError as error:
            return error

    def answer(self, text: str, asked: Asked) -> Answer:
        """What a text becomes."""
        found = next(translations(self.loaded, [text], asked))
        return Summarised(found) if self.task == "summarise" else found

    def explain(self, text: str, asked: Asked, view: View) -> Explanation:
        """As the task explains it."""
        return self.door.explain(self.path, text, asked, view)

    def read(self, wanted: Wanted) -> Reading:
        """What was written, and the weights of every head that looked at the source."""
        with muted(self.loaded.model, wanted.silent, self.across):
            answer = self.written(wanted)
            best = answer.hypotheses[0]
            output = looked(self.loaded, answer.source, best.ids)
            record = Summarised(answer).record() if self.task == "summarise" else answer.record()
        show, mark = self.loaded.tokenizer.show, self.loaded.model.mark
        texts = [[END if i == mark else show(i) for i in ids] for ids in ([*best.ids, mark], answer.source.tolist())]
        maps = tuple(Map(trace.name, trace.weights[0].float().cpu(), 0, 1) for trace in output.traces)
        return Reading(record, (texts[0], texts[1]), maps, silent=wanted.silent, aligned=True)

    def written(self, wanted: Wanted) -> Translated:
        """What the model writes for a text."""
        return next(translations(self.loaded, [wanted.text], wanted.asked))

    def reasons(self, wanted: Wanted, method: str) -> Reasons:
        """How much each word of the source counted for what was written."""
        with muted(self.loaded.model, wanted.silent, self.across):
            answer = self.written(wanted)
            text = Written(answer.source, tuple(answer.hypotheses[0].ids))
            asked = wanted_of(text.ids, self.loaded.model.mark, self.loaded.tokenizer, None, None)
            return why(self.path, of_written(self.loaded.model, text, asked, self.loaded.tokenizer), method)
