"""A short text for a long one: written, or sentences picked from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import final

from heedful.tasks.summarise.picked import Cited, cited
from heedful.tasks.task import Asked, Record
from heedful.tasks.translate.answer import Translated, translations
from heedful.tasks.translate.loading import LoadedSeq2Seq

SHOWN = 3  # sentences cited beside a text that is written


@final
class Summarised:
    """What a text comes to."""

    prompt = ""

    def __init__(self, written: Translated) -> None:
        self.written = written

    @property
    def extract(self) -> int:
        """How many sentences are asked for; 0 where the text is to be written."""
        return self.written.asked.search.extract

    def pieces(self) -> Iterator[str]:
        """The text as it is written, or the sentences that are picked."""
        if not self.extract:
            yield from self.written.pieces()
            return
        yield picked(self.cited(self.extract))

    def cited(self, count: int) -> list[Cited]:
        """The sentences most looked at, in the order of the text."""
        return cited(self.written.loaded, self.written.text, self.written.hypotheses[0].ids, count)

    def record(self) -> Record:
        """What was written, and the sentences it rests on with their places; picked ones are the text where that is asked for."""
        found = self.cited(self.extract or SHOWN)
        told = [{"text": text, "start": start, "end": end, "looked": round(share, 4)} for (text, start, end), share in found]
        record = dict(self.written.record())
        if self.extract:
            record |= {"text": picked(found), "written": record["text"]}
        return {**record, "sentences": told}


def picked(found: Sequence[Cited]) -> str:
    """Sentences as one text."""
    return " ".join(" ".join(each.sentence.text.split()) for each in found)


def summaries(loaded: LoadedSeq2Seq, inputs: Sequence[str], asked: Asked) -> Iterator[Summarised]:
    """What each input comes to."""
    return (Summarised(written) for written in translations(loaded, inputs, asked))
