"""Why an item comes next: the answer of `heedful explain --method` for the task recommend."""

from __future__ import annotations

from heedful.explanations.page import Section
from heedful.explanations.parts.table import table
from heedful.tasks.explained.answering import answered, reasons
from heedful.tasks.explained.histories import of_history
from heedful.tasks.recommend.answer import Recommended
from heedful.tasks.task import Explanation, View


def why_next_item(answer: Recommended, view: View) -> Explanation:
    """The first item recommended, or the one asked for, with what of the history speaks for and against it."""
    loaded = answer.loaded
    found = reasons(loaded.run.path, of_history(answer, view.target, view.contrast), loaded.model, view)
    told = answer.record()
    rows = [(each["title"], each["probability"]) for each in told["items"]]
    sections = [Section("What may come next", "", [table(("item", "probability"), rows, "The likeliest")], "likely")]
    return answered(found, view, told, sections, f"{loaded.run.path}")
