"""Known questions with their classes, the questions that are matched with them, and the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from heedful.data.labelled.texts import LabelledCorpus, Texts, cut
from heedful.errors import DataError
from heedful.spec.questions import QuestionSpec

SENTENCE: Final = re.compile(r"(?<=[.!?。！？])\s*(?=\S)|\n+")
SHORTEST: Final = 15  # characters of a sentence of an answer that is learnt from


@dataclass(frozen=True)
class Questions:
    """What is known and what is asked.

    Arguments:
        entries: the known questions, each with its class.
        learnt: what a model learns from: the entries, and sentences of their answers where there are few entries of a class.
        parts: the questions of "validation" and "test" with their true classes, `outside` for those of none.
        strangers: texts of no class to learn from.
        answers: the answer of a class, where there is one.
        asked_for: whether the validation questions are ones that people asked, and not sentences of answers.
    """

    name: str
    entries: Texts
    learnt: Texts
    parts: Mapping[str, Texts]
    split: str
    strangers: tuple[str, ...] = ()
    answers: Mapping[str, str] = field(default_factory=dict)
    outside: str = "oos"
    asked_for: bool = True

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes by name, in the order of the alphabet."""
        return tuple(sorted(set(self.entries.labels)))

    def asked(self, part: str) -> Texts:
        """The questions of a part; of "train" the entries themselves, of "whole" all that are asked."""
        if part == "train":
            return self.entries
        if part == "whole":
            return joined(self.entries, *self.parts.values())
        return self.parts[part]


def joined(*many: Texts) -> Texts:
    """Several texts as one."""
    return Texts(tuple(text for one in many for text in one.texts), tuple(label for one in many for label in one.labels))


def sentences(text: str) -> list[str]:
    """The sentences of an answer that say something.

    >>> sentences("Open the menu first. OK! 在設定中選擇語言，然後按下儲存按鈕即可。")
    ['Open the menu first.', '在設定中選擇語言，然後按下儲存按鈕即可。']
    """
    return [part.strip() for part in SENTENCE.split(text) if len(part.strip()) >= SHORTEST]


def of_classes(corpus: LabelledCorpus, spec: QuestionSpec) -> Questions:
    """Questions of labelled texts: those to learn from are the entries; the parts that are missing are cut from them."""
    known, strangers = apart(corpus.parts["train"], spec.outside)
    if len(set(known.labels)) < 2:
        raise DataError(f"{corpus.name}: {len(set(known.labels))} class of questions: two or more are needed to match with")
    parts = {part: corpus.parts.get(part, Texts()) for part in ("validation", "test")}
    said = [corpus.split]
    for part, share in (("test", spec.test), ("validation", spec.validation)):
        if share and not len(parts[part]):
            single = singles(known)
            known, parts[part] = cut(without(known, single), share)
            known = joined(known, single)
            said.append(f"{len(parts[part]):,} of the questions cut off for {part}")
    labels = {*known.labels, spec.outside}
    for part, texts in parts.items():
        strange = sorted(set(texts.labels) - labels)
        if strange:
            raise DataError(
                f"{corpus.name}: the {part} part has classes that no entry has: {', '.join(strange[:3])}; {spec.outside!r} is outside"
            )
    return Questions(corpus.name, known, known, parts, "; ".join(said), strangers, outside=spec.outside)


def of_answers(name: str, asked: Sequence[str], answers: Mapping[str, str], spec: QuestionSpec) -> Questions:
    """Questions that each have an answer of their own: sentences of the answers are learnt from, and some kept to judge on."""
    entries = Texts(tuple(asked), tuple(asked))
    said = [(sentence, label) for label in asked for sentence in sentences(answers[label])]
    step = max(2, round(1 / spec.validation))
    held = [pair for i, pair in enumerate(said) if i % step == step - 1] or [(label, label) for label in asked]
    kept = [pair for i, pair in enumerate(said) if i % step != step - 1]
    validation = Texts(tuple(text for text, _ in held), tuple(label for _, label in held))
    learnt = joined(entries, Texts(tuple(text for text, _ in kept), tuple(label for _, label in kept)))
    split = f"every {step}th sentence of the answers to validate"
    parts = {"validation": validation, "test": Texts()}
    return Questions(name, entries, learnt, parts, split, answers=dict(answers), outside=spec.outside, asked_for=False)


def apart(texts: Texts, outside: str) -> tuple[Texts, tuple[str, ...]]:
    """Texts of a class, and those of none."""
    within = [i for i, label in enumerate(texts.labels) if label != outside]
    return texts.picked(within), tuple(text for text, label in zip(texts.texts, texts.labels, strict=True) if label == outside)


def singles(texts: Texts) -> Texts:
    """The texts that are alone in their class, which cannot be both learnt from and judged on."""
    counts: dict[str, int] = {}
    for label in texts.labels:
        counts[label] = counts.get(label, 0) + 1
    return texts.picked([i for i, label in enumerate(texts.labels) if counts[label] == 1])


def without(texts: Texts, some: Texts) -> Texts:
    """The texts whose class is none of those of `some`."""
    gone = set(some.labels)
    return texts.picked([i for i, label in enumerate(texts.labels) if label not in gone])
