"""Texts with a class each as what a classifier is measured, chosen and judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from heedful.data.labelled.rows import rows_of
from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.sources import opened as source
from heedful.data.labelled.texts import LabelledCorpus, Texts
from heedful.errors import DataError, UsageError
from heedful.models.pretrained import Pretrained, quiet
from heedful.spec.data import DataSpec
from heedful.tasks.classify.loading import LoadedClassifier
from heedful.tasks.parts import Cut, Filling, Parts
from heedful.tasks.sequences import Row
from heedful.train.metrics import IGNORED


def held_out(data: str | None, own: DataSpec | None) -> tuple[LabelledCorpus, tuple[Texts, Texts]]:
    """A set of texts, and what of it is no model's to learn from: its validation and test texts, or all where it has no such parts.

    A run's own set is cut as it was for training.
    """
    if own is not None and (data is None or data == own.source):
        corpus = load_labelled(own)
        return corpus, (corpus.part("validation"), corpus.part("test"))
    if data is None:
        raise UsageError("there are no texts to measure on: --data names a table of texts and classes")
    corpus = source(replace(own or DataSpec(), source=data, text=None, label=None))
    parts = {"train": Texts(), "validation": Texts(), "test": Texts(), **corpus.parts}
    judged = len(parts["validation"]) + len(parts["test"])
    return corpus, (parts["validation"], parts["test"]) if judged else (parts["train"], Texts())


def thirds(pair: tuple[Texts, Texts], name: str) -> tuple[Texts, Texts, Texts]:
    """Every other text of the first to calibrate and to select, the second to test; every third where one has too few.

    Sets are often kept class by class, so that halves one after the other would not hold the same classes.
    """
    judged, tested = pair
    if len(judged) >= 2 and len(tested):
        return every(judged, 0, 2), every(judged, 1, 2), tested
    both = Texts(judged.texts + tested.texts, judged.labels + tested.labels)
    if len(both) < 3:
        raise DataError(f"{name}: {len(both)} held-out texts, and three parts need one each: a larger table would work")
    return every(both, 0, 3), every(both, 1, 3), every(both, 2, 3)


def every(texts: Texts, first: int, step: int) -> Texts:
    """Every so many texts, from one on."""
    return texts.picked(range(first, len(texts), step))


def of_ours(loaded: LoadedClassifier, data: str | None, cut: Cut) -> tuple[Parts, LabelledCorpus]:
    """Rows for a classifier of ours: tokens, how many of them are real, and the class."""
    corpus, pair = held_out(data, loaded.spec.texts)
    pieces = thirds(pair, corpus.name)
    known(corpus, pieces, loaded.model.labels)

    def rows(texts: Texts) -> list[Row]:
        keep = loaded.spec.texts.keep
        # The manager measures one pass of so many tokens, not the windows of a longer text.
        found = rows_of(texts, loaded.model.labels, loaded.tokenizer, cut.length, "ends" if keep == "windows" else keep)
        tokens = torch.split(found.tokens, found.lengths.tolist())
        return [{"ids": ids, "lengths": torch.tensor(len(ids)), "labels": label} for ids, label in zip(tokens, found.labels, strict=True)]

    calibrate, select, test = map(rows, pieces)
    return cut.parts(calibrate, select, test, corpus.name), corpus


def of_pretrained(found: Pretrained, data: str | None, cut: Cut) -> tuple[Parts, LabelledCorpus]:
    """Rows for a classifier of Hugging Face's, its own marks in them, cut at their ends where they are too long."""
    tokenizer, config = found.tokenizer, found.model.config
    if tokenizer is None:
        raise UsageError(f"{found.name}: no tokenizer beside the model, so no text can be read: save one in its folder")
    if cut.batch > 1 and config.pad_token_id is None:
        raise UsageError(f"{found.name} has no padding token, so it reads one text at a time: --batch 1 would work")
    corpus, pair = held_out(data, None)
    pieces = thirds(pair, corpus.name)
    place = places(config.id2label or {}, pieces, corpus)

    def rows(texts: Texts) -> list[Row]:
        with quiet():
            ids = tokenizer(list(texts.texts), truncation=True, max_length=cut.length)["input_ids"]
        tensors = (torch.tensor(row, dtype=torch.long) for row in ids)
        labels = (torch.tensor(place[label]) for label in texts.labels)
        pairs = zip(tensors, labels, strict=True)
        return [{"input_ids": row, "attention_mask": torch.ones_like(row), "labels": label} for row, label in pairs]

    filling = Filling((("input_ids", config.pad_token_id or 0), ("labels", IGNORED)), left=tokenizer.padding_side == "left")
    calibrate, select, test = map(rows, pieces)
    return replace(cut, filling=filling).parts(calibrate, select, test, corpus.name), corpus


def places(names: Mapping[Any, str], pieces: Sequence[Texts], corpus: LabelledCorpus) -> dict[str, int]:
    """The number of each class: by its name in the model, or, where the model only counts them, by its place among the data's."""
    by_name = {name.lower(): int(number) for number, name in names.items()}
    found = sorted({label for piece in pieces for label in piece.labels})
    if all(label.lower() in by_name for label in found):
        return {label: by_name[label.lower()] for label in found}
    counted = all(name.upper().startswith("LABEL_") for name in names.values())
    if not counted or len(corpus.labels) != len(names):
        ours, theirs = ", ".join(found[:5]), ", ".join(list(names.values())[:5])
        raise DataError(f"{corpus.name} has the classes {ours}, the model {theirs}: the same names would work")
    return {label: number for number, label in enumerate(corpus.labels)}


def known(corpus: LabelledCorpus, pieces: Sequence[Texts], labels: Sequence[str]) -> None:
    """Refuse classes that the model does not tell."""
    strange = sorted({label for piece in pieces for label in piece.labels} - set(labels))
    if strange:
        raise DataError(f"{corpus.name} has classes the model does not tell: {', '.join(strange[:3])}; it tells {', '.join(labels[:5])}")
