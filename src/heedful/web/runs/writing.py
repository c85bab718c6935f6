"""A run that writes one text for another, kept open: what it wrote, and which words of the source each word was read from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import final

from torch import nn

from heedful.errors import HeedfulError
from heedful.layers.attention import AttentionLayer
from heedful.models.seq2seq.transformer import Transformer
from heedful.tasks.explained.writing import Written, of_written, wanted_of
from heedful.tasks.summarise.answer import Summarised
from heedful.tasks.table import task_of
from heedful.tasks.task import Answer, Asked, Explanation, Record, View
from heedful.tasks.translate.answer import Translated, translations
from heedful.tasks.translate.loading import LoadedSeq2Seq, load_seq2seq
from heedful.tasks.translate.units import END
from heedful.tasks.translate.writing import looked
from heedful.web.reading import Map, Reading
from heedful.web.runs.muting import across, muted
from heedful.web.runs.planned import beside, chosen, unplanned
from heedful.web.runs.run import ByHand, Kind, Reasons, Wanted
from heedful.web.runs.texts import sizes
from heedful.web.runs.why import ACROSS, UNSEEN, why


@final
class OpenWriter:
    """Translations or summaries, one after the other: a search is a batch by itself.

    Errors: those of loading a run and a plan.
    """

    takes: Kind = "text"
    by_hand: ByHand | None = None
    goes_on, reads, why_unread = False, True, None

    def __init__(self, path: Path, plan: Path | None = None) -> None:
        self.path, self.door, self.loaded = path, task_of(path), load_seq2seq(path)
        self.task = self.door.name
        self.planned = beside(load_seq2seq, path, plan)
        self.methods = ACROSS if isinstance(self.loaded.model, Transformer) else UNSEEN

    @property
    def why_unplanned(self) -> str | None:
        """Why no plan can be shown beside the model; None where one can."""
        return unplanned(self.loaded.model)

    def facts(self) -> Record:
        """Sizes."""
        model = self.loaded.model
        planned = self.planned is not None
        return {"vocabulary": model.vocabulary, "context": model.context, **sizes(model), "planned": planned}

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
        loaded = chosen(wanted, self.loaded, self.planned, self.path)
        with muted(loaded.model, wanted.silent, looking(loaded.model)):
            answer = written(loaded, wanted)
            best = answer.hypotheses[0]
            output = looked(loaded, answer.source, best.ids)
            record = Summarised(answer).record() if self.task == "summarise" else answer.record()
        show, mark = self.loaded.tokenizer.show, self.loaded.model.mark
        texts = [[END if i == mark else show(i) for i in ids] for ids in ([*best.ids, mark], answer.source.tolist())]
        maps = tuple(Map(trace.name, trace.weights[0].float().cpu(), 0, 1) for trace in output.traces)
        return Reading(record, (texts[0], texts[1]), maps, silent=wanted.silent, aligned=True, mutable=bool(looking(loaded.model)))

    def reasons(self, wanted: Wanted, method: str) -> Reasons:
        """How much each word of the source counted for what was written."""
        loaded = chosen(wanted, self.loaded, self.planned, self.path)
        with muted(loaded.model, wanted.silent, looking(loaded.model)):
            answer = written(loaded, wanted)
            text = Written(answer.source, tuple(answer.hypotheses[0].ids))
            asked = wanted_of(text.ids, loaded.model.mark, loaded.tokenizer, None, None)
            return why(self.path, of_written(loaded.model, text, asked, loaded.tokenizer), loaded.model, method)


def looking(model: nn.Module) -> list[AttentionLayer]:
    """The layers that look from what is written to what was read, where they have heads."""
    return across(model.blocks) if isinstance(model, Transformer) else []


def written(loaded: LoadedSeq2Seq, wanted: Wanted) -> Translated:
    """What the model writes for a text."""
    return next(translations(loaded, [wanted.text], wanted.asked))
