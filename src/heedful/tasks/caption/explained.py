"""Where each word of a caption or an answer looked, as data and as a page.

Weights say what was read when a word was chosen, not why it was (Jain & Wallace 2019, arXiv 1902.10186).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.page import Section, page
from heedful.explanations.parts.overlay import Cover, Laying, cells, overlay
from heedful.explanations.parts.photograph import photograph
from heedful.explanations.parts.table import table
from heedful.explanations.parts.thumbnail import gallery
from heedful.tasks.caption.answer import Captioned
from heedful.tasks.caption.writing import looked
from heedful.tasks.explained.described import why_said
from heedful.tasks.explained.following import of_weights_alone
from heedful.tasks.looked import index
from heedful.tasks.task import Explanation, View
from heedful.tasks.translate.units import units

CAUTION: Final = "Each map shows where the model looked when it chose a word; it does not prove why it chose it."


def explained(answer: Captioned, view: View) -> Explanation:
    """The text, and the picture under the looks of each of its words."""
    if not of_weights_alone(view):
        return why_said(answer, view)
    best = answer.hypotheses[0]
    layers = looked(answer.loaded, answer.picture.pixels, answer.ids, best.ids)
    weights = chosen(layers, view)
    side = answer.loaded.model.side
    words = [(unit.text, weights[list(unit.places)].mean(0).view(side, side)) for unit in units(answer.loaded.tokenizer, best.ids)]
    whose = {"layer": view.layer or "mean", "head": view.head or "mean"}
    record = {**answer.record(), **whose, "words": [{"word": word, **place(look)} for word, look in words]}
    return Explanation(record, shown(answer, words, [(name, each) for name, each in layers]))


def chosen(layers: Sequence[tuple[str, Float[Tensor, "h t s"]]], view: View) -> Float[Tensor, "t s"]:
    """The weights of the layer and head that were asked for, or their mean."""
    picked = [weights for _, weights in layers]
    picked = picked if view.layer is None else [picked[index("layer", view.layer, len(picked))]]
    if view.head is not None:
        picked = [weights[index("head", view.head, len(weights))][None] for weights in picked]
    return torch.stack([weights.mean(0) for weights in picked]).mean(0)


def place(look: Float[Tensor, "y x"]) -> dict[str, Any]:
    """Where a word looked most, as shares of the sides, how much of its look lay there, and all of it row by row."""
    side = look.shape[1]
    row, column = divmod(int(look.argmax()), side)
    rows = [[round(value, 4) for value in line] for line in look.tolist()]
    return {"peak": [round((column + 0.5) / side, 4), round((row + 0.5) / side, 4)], "share": round(float(look.max()), 4), "rows": rows}


def shown(answer: Captioned, words: Sequence[tuple[str, Float[Tensor, "y x"]]], layers: Sequence[tuple[str, Tensor]]) -> str:
    """The page: the picture under the word that is chosen, under every word, and what else was found."""
    pixels, text = answer.picture.pixels, answer.said(answer.hypotheses[0])
    whole = photograph(pixels, "the picture", note=answer.picture.name)
    side = answer.loaded.model.side
    how = Laying(cells(side, side), about="Choose a word: what it read of the picture is shaded.")
    covers = [Cover(word, look) for word, look in words]
    looks = [overlay(pixels, covers, "where each word looked", how)] if covers else []  # nothing may have been said
    maps = [photograph(pixels, word, look, "Where it looked;") for word, look in words]
    said = f"{answer.question} {text}" if answer.question else text
    found = [(answer.said(one), one.score, one.log_probability) for one in answer.hypotheses]
    sections = [
        Section("What was said", said, [gallery([whole, *looks], large=True)], "words"),
        Section("Every word", f"The mean over {len(layers)} layers that read the picture.", [gallery(maps)], "every"),
        Section("What was found", "", [table(("text", "score", "log-probability"), found, "The likeliest texts")], "found"),
    ]
    return page("Where the words looked", CAUTION, sections, f"{answer.loaded.run.path}")
