"""Why a model goes on as it does: the answer of `heedful explain --method` for the task generate."""

from __future__ import annotations

from heedful.errors import UsageError
from heedful.explanations.page import Section
from heedful.explanations.parts.heads import Layer, heads
from heedful.explanations.parts.table import table
from heedful.tasks.explained.answering import answered, reasons
from heedful.tasks.explained.classified import LOOKED
from heedful.tasks.explained.subjects import likeliest, of_language_model
from heedful.tasks.loading import Loaded
from heedful.tasks.task import Explanation, View

MOST = 256  # tokens up to which every head is drawn
LIKELY = 8


def why_next(loaded: Loaded, text: str, view: View) -> Explanation:
    """The token that follows a text, or the answer asked for, with what speaks for and against it."""
    ids = loaded.tokenizer.encode(text)
    if not len(ids):
        raise UsageError("there is nothing before the answer: a text with a token in it would work")
    likely = likeliest(loaded.model, ids, loaded.tokenizer, LIKELY)
    subject = of_language_model(loaded.model, ids, loaded.tokenizer, view.target, view.contrast)
    found = reasons(loaded.run.path, subject, loaded.model, view)
    sections = [Section("What may follow", "", [table(("token", "probability"), likely, "The likeliest tokens")], "likely")]
    if subject.no_attention is None and subject.looked().layers and len(ids) <= MOST:
        layers = [Layer(look.name, look.rows(0, len(ids)).float().cpu()[:, :, : len(ids)]) for look in subject.looked().layers]
        sections.append(Section("Every head", LOOKED, [heads(layers, subject.names, subject.names)], "heads"))
    return answered(found, view, {"text": text, "likely": dict(likely)}, sections, f"{loaded.run.path}")


def of_weights_alone(view: View) -> bool:
    """Whether only what was looked at was asked for."""
    return view.method is None and view.target is None and view.contrast is None
