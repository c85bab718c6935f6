"""Captions: each picture is explained for one word that the model wrote of it, with the cells of the item it names where they are known."""

from __future__ import annotations

from pathlib import Path
from typing import Final, final

from heedful.data.captions.captions import Captions
from heedful.errors import UsageError
from heedful.explanations.faithfulness.truth import Truth
from heedful.explanations.subject import Subject
from heedful.spec.search import Search
from heedful.tasks.caption.answer import Captioned
from heedful.tasks.caption.loading import load_captioner
from heedful.tasks.caption.nouns import shown
from heedful.tasks.explained.asking import Asking
from heedful.tasks.explained.described import of_words
from heedful.tasks.explained.samples.sample import Sample, evenly, part_of, refuse_longest
from heedful.tasks.explained.samples.writings import STRIDE
from heedful.tasks.explained.writing import Wanted, words_of
from heedful.tasks.image.inputs import Input
from heedful.tasks.task import Asked

GREEDY: Final = Asked(search=Search(beams=1))


@final
class OfCaptions:
    """Each picture by one of the words written of it, another one each time."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """Every so-many-th picture of the part."""
        refuse_longest(asking, "a picture has none")
        loaded, split = load_captioner(run), part_of(asking)
        if split == "whole":
            raise UsageError("--split whole: captions are read part by part: train, validation or test would work")
        found = loaded.captions(asking.data, (split,))
        part = found.parts[split]
        places = evenly(len(part), asking.limit)
        if not places:
            raise UsageError(f"--split {split}: {found.name} has no pictures there; another part would work")
        pictures = [Input(f"{split}:{i}", part.pixels[i]) for i in places]
        answers = [answer for each in pictures if (answer := Captioned(loaded, each, GREEDY, None)).hypotheses[0].ids]
        if not answers:
            raise UsageError(f"the model writes nothing of {len(pictures)} pictures of {found.name}: a run that has learnt more would work")
        subjects = (one_word(answer, number, part) for number, answer in enumerate(answers))
        return Sample(loaded.model, subjects, len(answers), f"{found.name} ({split})")


def one_word(answer: Captioned, number: int, part: Captions) -> Subject:
    """One of the words that were written of a picture."""
    ids = tuple(answer.hypotheses[0].ids)
    words = words_of(answer.loaded.tokenizer, ids, 0)
    name, places = words[STRIDE * number % len(words)]
    subject = of_words(answer, ids, Wanted(places[0], tuple(ids[at] for at in places)))
    subject.truth = truth_of(part, int(answer.picture.name.partition(":")[2]), name.strip("␣"), answer.loaded.model.side)
    return subject


def truth_of(part: Captions, place: int, word: str, side: int) -> Truth | None:
    """The cells in which the one item of that name is in sight, where the scenes are made so that it is known."""
    named = [i for i, item in enumerate(part.items(place)) if item.noun == word]
    if part.scenes is None or len(named) != 1:
        return None
    cells = shown(part.scenes.owner[place] == named[0] + 1, side)
    return Truth.of(cells) if bool(cells.any()) and not bool(cells.all()) else None
