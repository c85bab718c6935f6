"""Why a question is taken to mean what it is: the answer of `heedful explain --method` for the task match."""

from __future__ import annotations

from heedful.explanations.page import Section
from heedful.explanations.parts.table import table
from heedful.tasks.explained.answering import answered, reasons
from heedful.tasks.explained.matched import of_question
from heedful.tasks.match.answer import Meant
from heedful.tasks.task import Explanation, View


def why_meant(answer: Meant, view: View) -> Explanation:
    """The class that a question is taken to mean, or the one asked for, with what speaks for and against it."""
    loaded = answer.matching.loaded
    found = reasons(loaded.run.path, of_question(answer.matching, answer.text, view.target, view.contrast), loaded.model, view)
    told = answer.record()
    rows = [(match["label"], match["probability"], match["entry"]) for match in told["matches"]]
    sections = [Section("What it may mean", "", [table(("class", "probability", "entry"), rows, "The likeliest")], "likely")]
    return answered(found, view, told, sections, f"{loaded.run.path}")
