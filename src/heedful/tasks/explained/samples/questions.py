"""Questions, each explained for the class that it is taken to mean."""

from __future__ import annotations

from pathlib import Path
from typing import final

from heedful.errors import UsageError
from heedful.tasks.explained.asking import Asking
from heedful.tasks.explained.matched import Strangers, of_question
from heedful.tasks.explained.samples.sample import Sample, evenly, part_of, refuse_longest
from heedful.tasks.match.loading import load_matcher
from heedful.tasks.match.matched import open_matching


@final
class OfQuestions:
    """The words of a question and of the entry that met it best."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """Every so-many-th question of the part."""
        refuse_longest(asking, "a question is read whole")
        matching = open_matching(load_matcher(run))
        split = part_of(asking)
        questions = matching.loaded.questions(asking.data)
        asked = questions.asked(split).texts
        texts = [asked[i] for i in evenly(len(asked), asking.limit)]
        if not texts:
            raise UsageError(f"--split {split}: {questions.name} has no questions there; another part would work")
        strangers = Strangers(matching)
        subjects = (of_question(matching, text, strangers=strangers) for text in texts)
        return Sample(matching.loaded.model, subjects, len(texts), f"{questions.name} ({split})")
