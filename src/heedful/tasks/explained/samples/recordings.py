"""Recordings: each is explained for one of the words that the model heard in it."""

from __future__ import annotations

from pathlib import Path
from typing import Final, final

from heedful.errors import UsageError
from heedful.explanations.subject import Subject
from heedful.spec.search import Search
from heedful.tasks.explained.asking import Asking
from heedful.tasks.explained.samples.sample import Sample, evenly, part_of, refuse_longest
from heedful.tasks.explained.samples.writings import STRIDE
from heedful.tasks.explained.sounds import of_heard
from heedful.tasks.explained.writing import Wanted, words_of
from heedful.tasks.speech.answer import Transcribed
from heedful.tasks.speech.inputs import Input
from heedful.tasks.speech.loading import load_listener

GREEDY: Final = Search(beams=1)


@final
class OfRecordings:
    """Each recording by one of the words heard in it, another one each time."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """Every so-many-th recording of the part."""
        refuse_longest(asking, "a recording has none")
        loaded, split = load_listener(run), part_of(asking)
        found = loaded.recordings(asking.data)
        part = found.part(split)
        places = evenly(len(part), asking.limit)
        if not places:
            raise UsageError(f"--split {split}: {found.name} has no recordings there; another part would work")
        waves = [Input(f"{split}:{i}", part.utterance(i).wave) for i in places]
        answers = [answer for wave in waves if (answer := Transcribed(loaded, wave, GREEDY)).hypotheses[0].ids]
        if not answers:
            raise UsageError(f"the model hears no word in {len(waves)} recordings of {found.name}: a run that has learnt more would work")
        subjects = (one_word(answer, number) for number, answer in enumerate(answers))
        return Sample(loaded.model, subjects, len(answers), f"{found.name} ({split})")


def one_word(answer: Transcribed, number: int) -> Subject:
    """One of the words that were heard in a recording."""
    ids = tuple(answer.hypotheses[0].ids)
    words = words_of(answer.loaded.tokenizer, ids, 0)
    places = words[STRIDE * number % len(words)][1]
    return of_heard(answer, ids, Wanted(places[0], tuple(ids[at] for at in places)))
