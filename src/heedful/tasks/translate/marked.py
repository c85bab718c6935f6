"""What a text was written from: how much each of its words read of each word of the source, as data, a page and a picture.

Weights say what was read, not why a word was chosen (Jain & Wallace 2019, arXiv 1902.10186); pictures as in Bahdanau et al. 2015, figure 3.
"""

from __future__ import annotations

from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.page import Section, page
from heedful.explanations.parts.heads import Layer, heads
from heedful.explanations.parts.heatmap import heatmap
from heedful.explanations.parts.table import table
from heedful.explanations.parts.text import text_pane
from heedful.models.seq2seq.sequence import Seq2SeqOutput
from heedful.tasks.looked import index
from heedful.tasks.task import Explanation, View
from heedful.tasks.translate.answer import Translated
from heedful.tasks.translate.loading import LoadedSeq2Seq
from heedful.tasks.translate.picture import draw
from heedful.tasks.translate.units import END, Unit, between, units
from heedful.tasks.translate.writing import looked

CAUTION: Final = "What each word read of the source is what the model looked at; it does not prove why the word was chosen."
MOST: Final = 128  # tokens up to which every head is drawn


def marked(answer: Translated, view: View) -> Explanation:
    """Write the text, and mark what each of its words was read from."""
    best = answer.hypotheses[0]
    tokenizer, mark = answer.loaded.tokenizer, answer.loaded.model.mark
    output = looked(answer.loaded, answer.source, best.ids)
    sources = units(tokenizer, answer.source.tolist())
    targets = units(tokenizer, [*best.ids, mark])
    weights = between(chosen(output, view), targets, sources)
    words = [
        {"word": unit.text, "from": [{"word": sources[i].text, "weight": round(w, 4)} for w, i in heaviest(row, view.top)]}
        for unit, row in zip(targets, weights, strict=True)
    ]
    whose = {"layer": view.layer or "mean", "head": view.head or "mean"}
    record = {**answer.record(), **whose, "words": words, "sources": [unit.text for unit in sources]}
    body = shown(answer, output, (sources, targets), weights)
    names = [unit.text for unit in targets], [unit.text for unit in sources]
    return Explanation(record, body, lambda path: draw(weights, *names, path))


def chosen(output: Seq2SeqOutput, view: View) -> Float[Tensor, "t s"]:
    """The weights of the layer and head that were asked for, or their mean."""
    layers = [trace.weights[0].float().cpu() for trace in output.traces]
    picked = layers if view.layer is None else [layers[index("layer", view.layer, len(layers))]]
    if view.head is not None:
        picked = [weights[index("head", view.head, len(weights))][None] for weights in picked]
    return torch.stack([weights.mean(0) for weights in picked]).mean(0)


def heaviest(row: Float[Tensor, " n"], top: int) -> list[tuple[float, int]]:
    """The most read words and their weights."""
    best = row.topk(min(top, len(row)))
    return [(float(w), int(i)) for w, i in zip(best.values, best.indices, strict=True)]


def shown(answer: Translated, output: Seq2SeqOutput, words: tuple[list[Unit], list[Unit]], weights: Float[Tensor, "m n"]) -> str:
    """The page: the texts, the map of their words, the other texts that were found, and every head of texts that are not long."""
    sources, targets = ([unit.text for unit in side] for side in words)
    tokens = [f"{word} " for word in (*sources, *targets)]
    rows = torch.cat([weights, torch.zeros(len(targets), len(targets))], dim=1)
    pane = text_pane(tokens, rows, len(sources), "The source, and what was written")
    found = [(answer.said(one), one.score, one.log_probability) for one in answer.hypotheses]
    sections = [
        Section("What was written", "Choose a word of the second text to shade what it was read from.", [pane], "text"),
        Section("Word by word", "Rows read, columns are read.", [heatmap(weights, targets, sources, "Alignment")], "map"),
        Section("What was found", "", [table(("text", "score", "log-probability"), found, "The likeliest texts")], "found"),
    ]
    if len(answer.source) <= MOST:
        loaded = answer.loaded
        pieces = [shown_token(loaded, i) for i in answer.source.tolist()]
        written = [shown_token(loaded, i) for i in [*answer.hypotheses[0].ids, loaded.model.mark]]
        layers = [Layer(trace.name, trace.weights[0].float().cpu()) for trace in output.traces]
        sections.append(Section("Every head", "Rows read, columns are read.", [heads(layers, written, pieces)], "heads"))
    return page("What the words were read from", CAUTION, sections, f"{answer.loaded.run.path}")


def shown_token(loaded: LoadedSeq2Seq, token: int) -> str:
    """A token as a reader sees it, the mark as a sign of its own."""
    return END if token == loaded.model.mark else loaded.tokenizer.show(token)
