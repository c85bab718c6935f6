"""Entries that come and go without training: what `heedful index` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from heedful.data.questions.sources import load_questions
from heedful.errors import DataError, UsageError
from heedful.spec.questions import QuestionSpec
from heedful.tasks.match.answer import Meant
from heedful.tasks.match.loading import LoadedMatcher, load_matcher
from heedful.tasks.match.matched import open_matching, up_to_date
from heedful.tasks.task import Record


class Change(NamedTuple):
    """What was done to which entries, and how many there are now."""

    done: str
    numbers: list[int]
    size: int


def add_entries(run: Path, texts: Sequence[str], label: str | None, answer: str | None, data: str | None) -> Change:
    """Add texts of one class, or a table's; `UsageError` for both or neither."""
    if bool(texts) == (data is not None):
        raise UsageError("index add wants questions and their --label, or a table as --data: one of the two would work")
    if texts and not (label or "").strip():
        raise UsageError("index add wants the class of the questions: --label NAME would work, with a class that is known or a new one")
    if data is not None and (label or answer):
        raise UsageError("--label and --answer are for questions on the command line: a table has a column for them")
    if any(not text.strip() for text in texts):
        raise UsageError("there is an empty question: a text with a word in it would work")
    loaded = load_matcher(run)
    if data is None:
        return added(loaded, list(texts), [str(label).strip()] * len(texts), {str(label).strip(): answer} if answer else {})
    found = load_questions(QuestionSpec(data, validation=1e-9))
    entries = [
        pair for part in ("train", "validation", "test") for pair in zip(found.asked(part).texts, found.asked(part).labels, strict=True)
    ]
    if not found.asked_for:
        entries = list(zip(found.entries.texts, found.entries.labels, strict=True))
    return added(loaded, [text for text, _ in entries], [name for _, name in entries], found.answers)


def added(loaded: LoadedMatcher, texts: list[str], labels: list[str], answers: Mapping[str, str]) -> Change:
    """Add them to the index of a model, which is made first where it is missing."""
    up_to_date(loaded)
    size, numbers = loaded.store.add(texts, labels, loaded.vectors(texts), answers)
    return Change("added", numbers, size)


def remove_entries(run: Path, numbers: Sequence[int], label: str | None) -> Change:
    """Remove entries by number or by class; `UsageError` for both or neither, `DataError` for what is not there."""
    if bool(numbers) == (label is not None):
        raise UsageError("index remove wants --number, as `heedful index search` shows it, or --label: one of the two would work")
    loaded = load_matcher(run)
    entries = up_to_date(loaded)
    gone = list(numbers) or [number for number, name in zip(entries.numbers, entries.labels, strict=True) if name == label]
    if not gone:
        raise DataError(f"{loaded.store.folder}: no entry of the class {label!r}: {', '.join(sorted(set(entries.labels))[:8])} are there")
    if len(set(gone)) >= len(entries):
        raise UsageError(f"{loaded.store.folder}: this would leave an index of nothing: one entry must stay")
    return Change("removed", gone, loaded.store.remove(gone))


def search_entries(run: Path, question: str, top: int) -> Record:
    """The best classes and their entries; `UsageError` for fewer than one."""
    if top < 1:
        raise UsageError(f"--top is {top}: it must be 1 or more")
    return Meant(open_matching(load_matcher(run)), question, top).record()
