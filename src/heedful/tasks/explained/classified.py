"""Why a text has this class: the answer of `heedful explain` for the task classify."""

from __future__ import annotations

from heedful.explanations.page import Section
from heedful.explanations.parts.heads import Layer, heads
from heedful.explanations.parts.table import table
from heedful.tasks.classify.answer import Classified
from heedful.tasks.classify.marked import MOST
from heedful.tasks.explained.answering import answered, reasons
from heedful.tasks.explained.subjects import of_classifier
from heedful.tasks.task import Explanation, View

LOOKED = "Where the model looked: rows read, columns are read. It does not say why."


def why_class(answer: Classified, view: View) -> Explanation:
    """The class of a text, or the one asked for, with what speaks for and against it."""
    loaded = answer.loaded
    subject = of_classifier(loaded.model, answer.ids[0], loaded.tokenizer, view.target, view.contrast, loaded.temperature)
    found = reasons(loaded.run.path, subject, loaded.model, view)
    output = answer.output(trace=True)
    told = answer.told(output)
    likely = table(("class", "probability"), list(told["probabilities"].items()), "The likeliest classes")
    cut = f"The text is longer than the {len(subject.names)} tokens that were read." if told["cut"] else ""
    sections = [Section("How sure", cut, [likely], "classes")]
    if output.traces and len(subject.names) <= MOST:
        layers = [Layer(trace.name, trace.weights[0].float().cpu()) for trace in output.traces]
        sections.append(Section("Every head", LOOKED, [heads(layers, subject.names, subject.names)], "heads"))
    return answered(found, view, told, sections, f"{loaded.run.path}")


def of_weights_alone(view: View) -> bool:
    """Whether only attention as it is was asked for."""
    return view.method is None and view.target is None and view.contrast is None and (view.layer is not None or view.head is not None)
