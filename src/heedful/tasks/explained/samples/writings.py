"""Texts that are written for others: one word of each, with what is known of where it comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Final, final

import torch

from heedful.errors import UsageError
from heedful.explanations.faithfulness.truth import Truth
from heedful.explanations.subject import Subject
from heedful.spec.search import Search
from heedful.tasks.explained.aligned import aligned
from heedful.tasks.explained.asking import Asking
from heedful.tasks.explained.samples.sample import Sample, evenly, part_of, refuse_longest
from heedful.tasks.explained.tokens import Tokens
from heedful.tasks.explained.writing import Wanted, Written, of_written, words_of
from heedful.tasks.translate.loading import LoadedSeq2Seq, load_seq2seq
from heedful.tasks.translate.writing import searched, source_of

GREEDY: Final = Search(beams=1)
STRIDE: Final = 7  # words from one text's word to the next one's: so that all places come up


@final
class OfWritings:
    """Each text is explained for one word that the model wrote for it."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """Every so-many-th source of the part."""
        refuse_longest(asking, "a source is read whole")
        loaded = load_seq2seq(run)
        split = part_of(asking)
        corpus = loaded.corpus(asking.data)
        part = corpus.part(split)
        texts = [part.sources[i] for i in evenly(len(part), asking.limit)]
        if not texts:
            raise UsageError(f"--split {split}: {corpus.name} has no pairs there; another part would work")
        found = [(text, tuple(best[0].ids)) for text, best in zip(texts, searched(loaded, texts, GREEDY), strict=True)]
        written = [each for each in found if each[1]]
        if not written:
            raise UsageError(f"the model writes nothing for {len(texts)} texts of {corpus.name}: a run that has learnt more would work")
        subjects = (one_word(loaded, text, ids, number) for number, (text, ids) in enumerate(written))
        return Sample(loaded.model, subjects, len(written), f"{corpus.name} ({split})")


def one_word(loaded: LoadedSeq2Seq, text: str, ids: tuple[int, ...], number: int) -> Subject:
    """One of the words that were written for a text, another one each time."""
    words = words_of(loaded.tokenizer, ids, 0)
    place = STRIDE * number % len(words)
    first, tokens = words[place][1][0], tuple(ids[at] for at in words[place][1])
    subject = of_written(loaded.model, Written(source_of(loaded, text)[0], ids), Wanted(first, tokens), loaded.tokenizer)
    subject.truth = truth_of(subject, text, [name.strip("␣") for name, _ in words], place)
    return subject


def truth_of(subject: Tokens, text: str, written: list[str], place: int) -> Truth | None:
    """Which words of the source the word at `place` comes from, where the data are made so that it is known."""
    known = aligned(text.split(), written)
    reads = subject.parts[0][1] if subject.parts else subject.count
    if known is None or reads != len(text.split()):
        return None
    asked, sure, possible = (torch.zeros(subject.count, dtype=torch.bool) for _ in range(3))
    asked[:reads] = True
    sure[known[place].sure] = True
    possible[sorted({known[place].sure, *known[place].possible})] = True
    return Truth(asked, sure, possible)
