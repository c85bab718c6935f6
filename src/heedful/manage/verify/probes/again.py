"""Again: two questions on the same context, read once (SCBench, Li et al. 2024, arXiv 2412.10319).

What is thrown out of a cache must not depend on the question: the second one finds what the first one left.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import nn

from heedful.manage.verify.probes.needle import KEY, VALUE
from heedful.manage.verify.probes.probe import NEAR, At, Probe, Question, Text, asked


def again(model: nn.Module, planned: At, text: Text, length: int, trials: int) -> Iterator[Probe]:
    """Two facts in one context; each asked for in a continuation of its own, over the same cache."""
    for question, (name, part) in zip(two(text, length, trials), (("first", "third"), ("second", "last third")), strict=True):
        yield asked(model, planned, question, f"{name} question", f"a fact told where the {part} of the context begins, asked of one cache")


def two(text: Text, length: int, trials: int) -> tuple[Question, Question]:
    """The same context with either question after it."""
    facts = [torch.cat([text.drawn(trials, KEY), text.drawn(trials, VALUE)], dim=1) for _ in range(2)]
    filler = text.filler(trials, length - 3 * (KEY + VALUE))
    first, last = filler.shape[1] // 3, 2 * filler.shape[1] // 3
    context = torch.cat([filler[:, :first], facts[0], filler[:, first:last], facts[1], filler[:, last:]], dim=1)
    end, plain = context.shape[1], filler[:, -NEAR:]
    one, other = (Question(torch.cat([context, fact], dim=1), end, end + KEY, plain) for fact in facts)
    return one, other
