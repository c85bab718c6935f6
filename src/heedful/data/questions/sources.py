"""Where questions come from: a table, a folder of tables, a named set, or what Python itself carries."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from heedful.data.labelled.named import SETS, folded, named
from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.tables import LABELS, TEXTS, column, read_rows
from heedful.data.labelled.texts import LabelledCorpus, Texts
from heedful.data.questions.corpus import Questions, apart, of_answers, of_classes
from heedful.data.questions.stackfaq import stackfaq
from heedful.data.sources import EMBEDDED, data_home
from heedful.errors import DataError, unknown
from heedful.spec.data import DataSpec
from heedful.spec.questions import QuestionSpec

QUESTIONS: Final = ("question", *TEXTS)
ANSWERS: Final = ("answer", *LABELS, "reply", "response")
FEWEST: Final = 4  # paragraphs of a topic that is matched with


def load_questions(spec: QuestionSpec) -> Questions:
    """The questions that `spec.source` names, with what they are matched with.

    >>> load_questions(QuestionSpec()).name
    'python-reference'

    Raises `DataError`: missing (with what would work), not a table, a class to judge on that no entry has.
    """
    path = Path(spec.source).expanduser()
    if spec.source == EMBEDDED:
        return of_classes(topics(), spec)
    if path.is_file():
        return from_table(path, spec)
    if path.is_dir():
        return from_folder(path, spec)
    if spec.source == "stackfaq":
        return stackfaq(folder("stackfaq"), spec)
    if spec.source == "clinc150":
        return of_classes(named("clinc150-oos", data_home()), spec)
    if spec.source in SETS:
        return of_classes(named(spec.source, data_home()), spec)
    raise missing(spec.source)


def folder(name: str) -> Path:
    """A set's folder; `DataError` where it is not there."""
    home = data_home() / name
    if not home.is_dir():
        raise DataError(f"{home}: no such folder: the set {name} lives there, and HEEDFUL_DATA names another place")
    return home


def from_folder(path: Path, spec: QuestionSpec) -> Questions:
    """A folder's own tables."""
    found = load_labelled(DataSpec(str(path), text=spec.question, label=spec.answer, encoding=spec.encoding, validation=1e-9))
    return of_classes(found, spec)


def from_table(path: Path, spec: QuestionSpec) -> Questions:
    """A table of questions and classes, or, where most answers stand there once, of questions with an answer each."""
    texts = read_pairs(path, spec)
    if len(set(texts.labels)) * 2 <= len(texts):
        return of_classes(LabelledCorpus(spec.source, {"train": texts}, path.name), spec)
    known, _ = apart(texts, spec.outside)
    answers = dict(zip(known.texts, known.labels, strict=True))
    if len(answers) < 2:
        raise DataError(f"{path}: {len(answers)} question: two or more are needed to match with")
    return of_answers(spec.source, tuple(answers), answers, spec)


def read_pairs(path: Path, spec: QuestionSpec) -> Texts:
    """The questions of a table and their answers."""
    rows = read_rows(path, spec.encoding)
    if not rows:
        raise DataError(f"{path}: no rows in it: a table with a column of questions and one of answers or classes would work")
    columns = list(rows[0])
    ours = column(path, columns, "question", spec.question, QUESTIONS)
    theirs = column(path, [name for name in columns if name != ours], "answer", spec.answer, ANSWERS)
    for number, row in enumerate(rows, start=1):
        for name in (ours, theirs):
            if row.get(name) is None or not str(row[name]).strip():
                raise DataError(f"{path} row {number}: nothing in column {name!r}: every question needs an answer or a class")
    return Texts(tuple(str(row[ours]).strip() for row in rows), tuple(str(row[theirs]).strip() for row in rows))


def topics() -> LabelledCorpus:
    """The first sentence of each paragraph of the Python language reference, and the topic it is from."""
    try:
        from pydoc_data.topics import topics as found
    except ImportError:
        raise DataError("python-reference: this Python was built without pydoc_data; a table of questions as --data would work") from None
    first: dict[str, str] = {}
    for name in sorted(found):
        for paragraph in re.split(r"\n\s*\n", found[name]):
            sentence = " ".join(paragraph.split()).partition(". ")[0]
            if len(sentence) >= 30:
                first.setdefault(sentence, name)
    counts: dict[str, int] = {}
    for name in first.values():
        counts[name] = counts.get(name, 0) + 1
    kept = {text: name for text, name in first.items() if counts[name] >= FEWEST}
    parts, split = folded(Texts(tuple(kept), tuple(kept.values())))
    version = ".".join(map(str, sys.version_info[:3]))
    return LabelledCorpus("python-reference", parts, f"Python {version}, {split}")


def missing(source: str) -> DataError:
    """The error for a source that is none."""
    near = str(unknown("set of questions", source, ["stackfaq", "clinc150", "banking77", EMBEDDED, *SETS]))
    return DataError(f"{near}; a table (csv, tsv, jsonl, parquet) or a folder of them too")
