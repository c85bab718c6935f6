"""The tasks whose runs can be explained by every method: how an input of each becomes a subject."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, final

from torch import nn

from heedful.data.labelled.texts import Texts
from heedful.errors import Unsupported, UsageError
from heedful.explanations.subject import Subject
from heedful.tasks.classify.loading import load_classifier
from heedful.tasks.explained.asking import Asking
from heedful.tasks.explained.subjects import of_classifier, of_language_model
from heedful.tasks.loading import load


@dataclass(frozen=True)
class Sample:
    """A model, inputs of it as subjects, made one by one, how many, and in words whose they are."""

    model: nn.Module
    subjects: Iterator[Subject]
    count: int
    data: str


class Maker(Protocol):
    """A task's inputs as subjects."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """The inputs to compare methods on."""


@final
class OfTexts:
    """Texts and their classes: each is explained for the class that the model gives it."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """Every so-many-th text of the part, so that all classes are among them."""
        loaded = load_classifier(run)
        split = asking.split or ("validation" if asking.data is None else "whole")
        corpus = loaded.corpus(asking.data)
        texts = spread(corpus.part(split), asking.limit)
        if not len(texts):
            raise UsageError(f"--split {split}: {corpus.name} has no texts there; another part would work")
        rows = loaded.rows(Texts(texts.texts, (loaded.model.labels[0],) * len(texts)))
        ids = [
            rows.tokens[start : start + min(length, asking.longest or length)]
            for start, length in zip(rows.starts, rows.lengths, strict=True)
        ]
        subjects = (of_classifier(loaded.model, each, loaded.tokenizer, None, None, loaded.temperature) for each in ids)
        return Sample(loaded.model, subjects, len(ids), f"{corpus.name} ({split})")


@final
class OfContinuations:
    """Pieces of a text: each is explained for the token that the model expects next."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """Pieces of the part at equal distances, 64 tokens each unless `longest` says."""
        loaded = load(run)
        split = asking.split or ("validation" if asking.data is None else "whole")
        corpus = loaded.corpus(asking.data)
        text = corpus.train + corpus.validation + corpus.test if split == "whole" else corpus.part(split)
        ids = loaded.tokenizer.encode(text)
        size = min(asking.longest or 64, loaded.model.context, len(ids))
        count = min(asking.limit, len(ids) // max(1, size))
        if count < 1:
            raise UsageError(f"--split {split}: {corpus.name} has no text there; another part would work")
        starts = [i * ((len(ids) - size) // max(1, count - 1) if count > 1 else 0) for i in range(count)]
        pieces = (of_language_model(loaded.model, ids[at : at + size], loaded.tokenizer, None, None) for at in starts)
        return Sample(loaded.model, pieces, count, f"{corpus.name} ({split})")


def spread(texts: Texts, limit: int) -> Texts:
    """At most `limit` texts at equal distances."""
    if limit < 1:
        raise UsageError(f"--limit is {limit}: it must be 1 or more")
    step = max(1, len(texts) // limit)
    return texts.picked(list(range(0, len(texts), step))[:limit])


MAKERS: Final[Mapping[str, Maker]] = {"classify": OfTexts(), "generate": OfContinuations()}


def maker_of(task: str) -> Maker:
    """How a task's inputs become subjects; `Unsupported` for a task that has not said."""
    if task not in MAKERS:
        raise Unsupported(f"methods are not compared for the task {task}: runs of {', '.join(MAKERS)} would work")
    return MAKERS[task]
