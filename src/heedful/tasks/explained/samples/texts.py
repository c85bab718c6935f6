"""Texts and their classes, and pieces of a text that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from heedful.data.labelled.texts import Texts
from heedful.data.labelled.toxic_spans import LABELS, RATIONALES, marks_by_text
from heedful.data.sources import data_home
from heedful.data.tokens.offsets import offsets
from heedful.errors import UsageError
from heedful.explanations.faithfulness.truth import Truth
from heedful.explanations.subject import Subject
from heedful.tasks.classify.loading import LoadedClassifier, load_classifier
from heedful.tasks.explained.asking import Asking
from heedful.tasks.explained.samples.sample import Sample, evenly, part_of
from heedful.tasks.explained.subjects import of_classifier, of_language_model
from heedful.tasks.loading import load


@final
class OfTexts:
    """Each text is explained for the class that the model gives it."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """Every so-many-th text of the part, so that all classes are among them."""
        loaded = load_classifier(run)
        split = part_of(asking)
        corpus = loaded.corpus(asking.data)
        part = corpus.part(split)
        texts = part.picked(evenly(len(part), asking.limit))
        if not len(texts):
            raise UsageError(f"--split {split}: {corpus.name} has no texts there; another part would work")
        rows = loaded.rows(Texts(texts.texts, (loaded.model.labels[0],) * len(texts)))
        ids = [
            rows.tokens[start : start + min(length, asking.longest or length)]
            for start, length in zip(rows.starts, rows.lengths, strict=True)
        ]
        marks = marks_by_text(data_home() / RATIONALES) if corpus.name == RATIONALES else {}
        subjects = (
            with_truth(of_classifier(loaded.model, each, loaded.tokenizer, None, None, loaded.temperature), loaded, text, marks)
            for each, text in zip(ids, texts.texts, strict=True)
        )
        return Sample(loaded.model, subjects, len(ids), f"{corpus.name} ({split})")


def with_truth(subject: Subject, loaded: LoadedClassifier, text: str, marks: dict[str, frozenset[int]]) -> Subject:
    """The same, with what readers marked where they marked some of it and the model says so too."""
    found = marks.get(text.lower())
    if not found or subject.answer != LABELS[1]:
        return subject
    own = marked_tokens(loaded, text, found)
    if len(own) == subject.count and bool(own.any()) and not bool(own.all()):
        subject.truth = Truth.of(own)
    return subject


def marked_tokens(loaded: LoadedClassifier, text: str, marks: frozenset[int]) -> Int[Tensor, " t"]:
    """Which tokens of a text hold a marked letter."""
    spans = offsets(loaded.tokenizer, text.lower() if loaded.spec.texts.lowercase else text)
    return torch.tensor([any(first <= at < end for at in marks) for first, end in spans], dtype=torch.bool)


@final
class OfContinuations:
    """Each piece of a text is explained for the token that the model expects next."""

    def __call__(self, run: Path, asking: Asking) -> Sample:
        """Pieces of the part at equal distances, 64 tokens each unless `longest` says."""
        loaded = load(run)
        split = part_of(asking)
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
