"""Copy: a span that comes a second time; what induction heads do (Olsson et al. 2022, arXiv 2209.11895)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch
from torch import nn

from heedful.manage.verify.probes.probe import NEAR, At, Probe, Question, Text, asked

SPAN: Final = 32
LEAD: Final = 4  # tokens of the second time that say what is being repeated


def copy(model: nn.Module, planned: At, text: Text, length: int, trials: int) -> Iterator[Probe]:
    """The span at the start of the text and again at its end; and right before the end."""
    for near in (False, True):
        where = "near" if near else "far"
        gap = "right after it" if near else f"about {length - 2 * span_of(length):,} tokens later"
        question = repeated(text, length, trials, near)
        yield asked(model, planned, question, f"copy, {where}", f"{span_of(length)} tokens of another text that come again {gap}")


def repeated(text: Text, length: int, trials: int, near: bool) -> Question:
    """Filler and span, then the span again; the answer is all but its first tokens."""
    span = text.drawn(trials, span_of(length))
    filler = text.filler(trials, length - 2 * span.shape[1])
    context = torch.cat([filler, span] if near else [span, filler], dim=1)
    return Question(torch.cat([context, span], dim=1), context.shape[1], context.shape[1] + LEAD, filler[:, -NEAR:])


def span_of(length: int) -> int:
    """How long the span is: 32 tokens, or a quarter of a short text."""
    return min(SPAN, length // 4)
