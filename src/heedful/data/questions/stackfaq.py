"""StackFAQ: threads with answers, and paraphrases of their questions by two annotators (Karan & Snajder 2018, Expert Systems 91)."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from heedful.data.files import read_text
from heedful.data.labelled.texts import Texts
from heedful.data.questions.corpus import Questions, joined, of_answers
from heedful.spec.questions import QuestionSpec

SEPARATOR = "*"  # alone in an entry, it parts the paraphrases of two annotators


def stackfaq(home: Path, spec: QuestionSpec) -> Questions:
    """125 threads and their 1,249 paraphrases: those of one fold in five to test, or, without `queries`, all of them."""
    threads = json.loads(read_text(home / "stackExchange-FAQ.json"))["root"]["qapair"]
    asked = tuple(" ".join(thread["question"].split()) for thread in threads)
    answers = {label: "\n".join(several(thread["answer"])) for label, thread in zip(asked, threads, strict=True)}
    queries = [(text, i) for i, thread in enumerate(threads) for text in several(thread["rephr"])]
    whole = of_answers("stackfaq", asked, answers, spec)
    if not spec.queries:
        test = Texts(tuple(text for text, _ in queries), tuple(asked[i] for _, i in queries))
        split = f"learnt from the threads alone; {whole.split}; all paraphrases to test"
        return replace(whole, parts={**whole.parts, "test": test}, split=split)
    folds = [(number + i) % spec.folds for i, thread in enumerate(threads) for number in range(len(several(thread["rephr"])))]
    others = [pair for pair, fold in zip(queries, folds, strict=True) if fold != spec.fold]
    step = round(1 / spec.validation)
    parts = {
        "test": labelled([pair for pair, fold in zip(queries, folds, strict=True) if fold == spec.fold], asked),
        "validation": labelled(others[step - 1 :: step], asked),
    }
    known = labelled([pair for place, pair in enumerate(others) if place % step != step - 1], asked)
    entries, learnt = joined(whole.entries, known), joined(whole.learnt, known)
    split = f"paraphrases of fold {spec.fold + 1} of {spec.folds} to test, every {step}th of the others to validate"
    return Questions(whole.name, entries, learnt, parts, split, answers=answers)


def several(value: Any) -> list[str]:
    """One text or a list of them, without separators and empty places."""
    found = value if isinstance(value, list) else [value]
    return [text.strip() for text in found if text is not None and text.strip() not in ("", SEPARATOR)]


def labelled(pairs: list[tuple[str, int]], names: tuple[str, ...]) -> Texts:
    """Texts with the names of their classes."""
    return Texts(tuple(text for text, _ in pairs), tuple(names[i] for _, i in pairs))
