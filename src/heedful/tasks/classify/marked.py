"""What a classifier read to say a class: how much each token counted, as data and as a page.

Weights say what was read, not why the model decided: raw attention is a first look, and says so on its page
(Jain & Wallace 2019, arXiv 1902.10186; Wiegreffe & Pinter 2019, arXiv 1908.04626).
"""

from __future__ import annotations

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.errors import UsageError
from heedful.explanations.page import Section, page
from heedful.explanations.parts.heads import Layer, heads
from heedful.explanations.parts.table import table
from heedful.explanations.parts.text import text_pane
from heedful.models.classifier import ClassifierOutput
from heedful.tasks.classify.answer import Classified
from heedful.tasks.classify.phrases import by_piece, evidence
from heedful.tasks.looked import index
from heedful.tasks.task import Explanation, Record, View

CAUTION: Final = "How much each token counted is what the model read; it does not prove why this class was chosen."
MOST: Final = 256  # tokens up to which every head is drawn


def marked(answer: Classified, view: View) -> Explanation:
    """Classify the text with all weights kept, and mark what counted."""
    output = answer.output(trace=True)
    tokens, weights = by_piece(answer, counted(output, view))
    best = weights.topk(min(view.top, len(weights)))
    words = [
        {"place": i, "token": tokens[i], "weight": round(w, 4)} for w, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
    whose = {"layer": view.layer or "mean", "head": view.head or "mean"} if output.traces else {"layer": "pooling", "head": "mean"}
    told = evidence(answer, output, view.top)
    record = {**answer.told(output), **whose, "pieces": tokens, "counted": words, **({"evidence": told} if told else {})}
    return Explanation(record, shown(answer, record, output, weights))


def counted(output: ClassifierOutput, view: View) -> Float[Tensor, " t"]:
    """How much each token counted: what the pooled places read of it, by the layer and head asked for or their mean.

    Without layers that attend, the pooling's own weights.
    """
    assert output.pooled is not None
    pooled = output.pooled[0].float().cpu()
    if not output.traces:
        if view.layer is not None or view.head is not None:
            raise UsageError("this model has one pooling and no layers that attend: without --layer and --head it would work")
        return pooled
    layers = [trace.weights[0].float().cpu() for trace in output.traces]
    picked = layers if view.layer is None else [layers[index("layer", view.layer, len(layers))]]
    if view.head is not None:
        picked = [weights[index("head", view.head, len(weights))][None] for weights in picked]
    return torch.stack([pooled @ weights.mean(0) for weights in picked]).mean(0)


def shown(answer: Classified, record: Record, output: ClassifierOutput, weights: Float[Tensor, " t"]) -> str:
    """The page: the text with what counted, the classes, and every head of a text that is not long."""
    tokens: list[str] = record["pieces"]
    row = torch.cat([weights, torch.zeros(1)])[None]
    text = text_pane([*tokens, f" {record['label']} ({record['confidence']:.1%})"], row, len(tokens), "The text, and its class at the end")
    likely = table(("class", "probability"), [(name, share) for name, share in record["probabilities"].items()], "The likeliest classes")
    cut = f" The text is longer than the {len(tokens)} tokens that were read." if record["cut"] else ""
    sections = [
        Section("What counted", f"Choose the class at the end to shade what was read for it.{cut}", [text], "text"),
        Section("How sure", "", [likely], "classes"),
    ]
    if "evidence" in record:
        rows = [(str(one["run"]), f"{one['adds']:+.3f}") for one in record["evidence"]]
        note = "The score is the sum of what each run adds; these add or take most, above what they give the other classes."
        sections.append(Section("What speaks for it, and against", note, [table(("run", "adds"), rows, "Evidence")], "evidence"))
    if output.traces and len(tokens) <= MOST:
        layers = [Layer(trace.name, trace.weights[0].float().cpu()) for trace in output.traces]
        sections.append(Section("Every head", "Rows read, columns are read.", [heads(layers, tokens, tokens)], "heads"))
    return page("What the model read", CAUTION, sections, f"{answer.loaded.run.path}")
