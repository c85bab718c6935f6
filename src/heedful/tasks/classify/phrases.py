"""What runs of words say of a class, laid out over the words themselves."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.data.tokens.runs import Runs
from heedful.data.words import places_in
from heedful.models.classifier import ClassifierOutput
from heedful.tasks.classify.answer import Classified


class Shared(NamedTuple):
    """The pieces of a text as they are read, and how much each counted."""

    pieces: list[str]
    weights: Float[Tensor, " t"]


def by_piece(answer: Classified, weights: Float[Tensor, " t"]) -> Shared:
    """The tokens themselves; of runs, which overlap, the words, among which what each run counted is divided."""
    tokenizer = answer.loaded.tokenizer
    if not isinstance(tokenizer, Runs) or answer.rows.cut:
        return Shared([tokenizer.show(i) for i in answer.ids[0].tolist()], weights)
    words = places_in(answer.read)
    counted = torch.zeros(len(words))
    for (_, first, last), weight in zip(tokenizer.spans(answer.read), weights.tolist(), strict=False):
        inside = [i for i, (begin, end) in enumerate(words) if begin < last and end > first]
        counted[inside] += weight / max(1, len(inside))
    return Shared([f" {answer.read[begin:end]}" if begin else answer.read[begin:end] for begin, end in words], counted)


def evidence(answer: Classified, output: ClassifierOutput, top: int) -> list[dict[str, str | float]]:
    """The runs that speak most for the class or against it: what each adds to its score, above what it adds to the others on average."""
    if output.evidence is None:
        return []
    adds = output.evidence[0].float().cpu()
    best = int(output.logits[0].argmax())
    lead = (adds[:, best] - adds.mean(1)) * adds.shape[1] / max(1, adds.shape[1] - 1)
    order = lead.abs().argsort(descending=True)[:top].tolist()
    names = [answer.loaded.tokenizer.show(i) for i in answer.ids[0].tolist()]
    return [{"run": names[i], "adds": round(float(lead[i]), 4)} for i in order if float(lead[i])]
