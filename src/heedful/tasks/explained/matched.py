"""Why a question is taken to mean this: its words and those of the entry it met, each taken away in turn.

The answer is the log-probability of a class under all five measures as they are weighed. A question without a word is matched anew; an
entry without one changes the prototype, the words and the re-reading of its own class, all other classes staying as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Final, NoReturn, final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.data.tokens.grams import folded_words
from heedful.errors import Unsupported, UsageError, unknown
from heedful.explanations.rules.rules import Rules
from heedful.explanations.subject import Looked, Subject
from heedful.models.matcher.matcher import Matcher
from heedful.tasks.explained.modelled import drawn
from heedful.tasks.match.index.store import Entries
from heedful.tasks.match.lexical import TfIdf
from heedful.tasks.match.matched import Matching
from heedful.tasks.match.matching import SCALE, Known, known, unit

COUNTS: Final = "a match weighs counts of words beside what the model reads, and counts have no gradient: measured or occlusion would work"
SEVERAL: Final = (
    "a match weighs five measures, and attention is within some of them alone: measured or occlusion would work, or, without a method, "
    "what the words of both read of each other"
)
QUESTION, ENTRY = "the question", "the entry"


@dataclass(frozen=True, eq=False)
class Meaning:
    """A class that a question may mean: its place among the classes, and the number of the entry that met it best."""

    place: int
    entry: int


@final
class Pair(Subject):
    """The words of a question and of an entry, and one class; see `Subject`."""

    no_gradients = COUNTS
    no_attention = SEVERAL
    no_layers = SEVERAL

    def __init__(
        self, matching: Matching, question: str, meaning: Meaning, against: Meaning | None = None, strangers: Strangers | None = None
    ) -> None:
        index = matching.index
        self.matching, self.meaning, self.against = matching, meaning, against
        self.strangers = strangers or Strangers(matching)
        self.asked = folded_words(question)[: matching.loaded.model.context]
        self.entry = folded_words(index.entries.texts[meaning.entry])[: matching.loaded.model.context]
        if not self.asked:
            raise UsageError("there is no question: a text with a word in it would work")
        words = [*self.asked, *self.entry]
        self.names = tuple(f"␣{word}" for word in words)
        self.places = tuple((i,) for i in range(len(words)))
        self.parts = ((QUESTION, len(self.asked)), (ENTRY, len(self.entry)))
        self.answer = index.names[meaning.place]
        self.contrast = None if against is None else index.names[against.place]

    def scored(self, kept: Bool[Tensor, "s n"], replacement: str | None = None) -> Float[Tensor, " s"]:
        """The log-probability of the class where only some of the words are left."""
        if replacement not in (None, "delete"):
            raise UsageError(f"replacement {replacement!r}: words of a match are deleted: delete would work")
        questions = [left(self.asked, row) for row in kept.tolist()]
        entries = [left(self.entry, row) for row in kept[:, len(self.asked) :].tolist()]
        if self.matching.calibration.weights[4] or self.matching.index.words is None:
            return self.reread(questions, entries)
        return self.log_probability(torch.from_numpy(self.weighed(questions, entries)))

    def reread(self, questions: list[str], entries: list[str]) -> Float[Tensor, " s"]:
        """The same where pairs are read again, or the index is large: an index anew for each different entry."""
        found = torch.zeros(len(questions), dtype=torch.float64)
        for entry in dict.fromkeys(entries):
            places = [i for i, each in enumerate(entries) if each == entry]
            matching = self.matching if entry == " ".join(self.entry) else with_entry(self.matching, self.meaning, entry)
            found[places] = self.log_probability(torch.from_numpy(matching.matched([questions[i] for i in places]).logits))
        return found

    def weighed(self, questions: list[str], entries: list[str]) -> Float[np.ndarray, "s c"]:
        """The scores of all classes: each question matched once, and of the class its entry's part replaced."""
        index, loaded, place = self.matching.index, self.matching.loaded, self.meaning.place
        asked, told = list(dict.fromkeys(questions)), list(dict.fromkeys(entries))
        of_q, of_e = ([names.index(each) for each in many] for names, many in ((asked, questions), (told, entries)))
        measures = self.matching.matched(asked).met.measures[of_q]
        mine = [i for i, label in enumerate(index.entries.labels) if label == index.names[place]]
        others = [i for i in mine if i != self.meaning.entry]
        rest = index.entries.vectors[others].astype(np.float64).sum(0)
        width = loaded.model.spec.attentive
        prototypes, vectors = unit(rest + loaded.vectors(told), width)[of_e], loaded.vectors(asked)[of_q]
        for measure, part in enumerate((slice(0, width), slice(width, None))):
            measures[:, place, measure] = SCALE * (vectors[:, part] * prototypes[:, part]).sum(1)
        assert index.words is not None
        changed = TfIdf(told, loaded.grams).scores(asked)[of_q, of_e]
        beside = index.words.scores(asked)[:, others].max(1)[of_q] if others else np.full(len(of_q), -np.inf)
        measures[:, place, 2] = SCALE * np.maximum(changed, beside)
        found: Float[np.ndarray, "s c"] = measures @ np.array(self.matching.calibration.weights)
        return found

    def log_probability(self, logits: Float[Tensor, "s c"]) -> Float[Tensor, " s"]:
        """Of the class, less that of the contrast."""
        odds = logits.double().log_softmax(-1)
        mine = odds[:, self.meaning.place]
        return mine if self.against is None else mine - odds[:, self.against.place]

    @property
    def features(self) -> NoReturn:
        """It has none."""
        raise Unsupported(COUNTS)

    @property
    def baseline(self) -> NoReturn:
        """It has none."""
        raise Unsupported(COUNTS)

    def of_features(self, features: Float[Tensor, "b t m"]) -> NoReturn:
        """It has none."""
        raise Unsupported(COUNTS)

    @property
    def reading(self) -> NoReturn:
        """Nothing alone."""
        raise Unsupported(SEVERAL)

    def looked(self) -> Looked:
        """Nothing alone."""
        raise Unsupported(SEVERAL)

    def ruled(self, rules: Rules) -> AbstractContextManager[None]:
        """There is no backward pass to rule."""
        return nullcontext()

    def silenced(self, heads: Sequence[tuple[int, int]]) -> Float[Tensor, " s"]:
        """Nothing alone."""
        raise Unsupported(SEVERAL)

    def randomised(self, seed: int) -> Pair:
        """The same under a model whose weights are drawn anew, and whose index is made anew by them."""
        return Pair(self.strangers.matching(seed), " ".join(self.asked), self.meaning, self.against, self.strangers)


class Strangers:
    """The same index under models drawn anew, each made once."""

    def __init__(self, matching: Matching) -> None:
        self.own, self.made = matching, dict[int, Matching]()

    def matching(self, seed: int) -> Matching:
        """Under the model of a seed."""
        if seed not in self.made:
            model = drawn(self.own.loaded.model, seed)
            assert isinstance(model, Matcher)
            loaded = replace(self.own.loaded, model=model)
            entries = self.own.index.entries
            anew = replace(entries, vectors=loaded.vectors(entries.texts))
            self.made[seed] = replace(self.own, loaded=loaded, index=known(loaded, anew))
        return self.made[seed]


def left(words: Sequence[str], kept: Sequence[bool]) -> str:
    """The words that are kept, as a text.

    >>> left(["lost", "my", "card"], [True, False, True])
    'lost card'
    """
    return " ".join(word for word, stays in zip(words, kept, strict=False) if stays)


def with_entry(matching: Matching, meaning: Meaning, text: str) -> Matching:
    """The same index with one entry's text changed: its vector, its class's prototype and its words."""
    index, loaded = matching.index, matching.loaded
    entries = index.entries
    texts = (*entries.texts[: meaning.entry], text, *entries.texts[meaning.entry + 1 :])
    vectors = np.array(entries.vectors)
    vectors[meaning.entry] = loaded.vectors([text])[0]
    return replace(matching, index=changed(index, replace(entries, texts=texts, vectors=vectors), meaning, loaded.model.spec.attentive))


def changed(index: Known, entries: Entries, meaning: Meaning, width: int) -> Known:
    """An index with other entries of one class."""
    mine = [i for i, label in enumerate(entries.labels) if label == index.names[meaning.place]]
    prototypes = np.array(index.prototypes)
    prototypes[meaning.place] = unit(entries.vectors[mine].astype(np.float64).sum(0)[None], width)[0]
    words = None if index.words is None else index.words.instead(meaning.entry, entries.texts[meaning.entry])
    return replace(index, entries=entries, prototypes=prototypes, words=words)


def of_question(
    matching: Matching, question: str, target: object = None, contrast: object = None, strangers: Strangers | None = None
) -> Pair:
    """Why this class: the likeliest unless given."""
    found = matching.matched([question])
    names = matching.index.names
    place = int(found.logits[0].argmax()) if target is None else named(target, names)
    against = None if contrast is None else named(contrast, names)
    if against == place:
        raise UsageError(f"{names[place]} against itself says nothing: another contrast would work")
    meant = [None if i is None else Meaning(i, int(found.met.entry[0, i])) for i in (place, against)]
    assert meant[0] is not None
    return Pair(matching, question, meant[0], meant[1], strangers)


def named(name: object, names: Sequence[str]) -> int:
    """The place of a class by its name."""
    if str(name) not in names:
        raise unknown("class", name, names)
    return list(names).index(str(name))
