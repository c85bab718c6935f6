"""What every head of every layer reads: maps over a real passage, and how far each one looks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.explanations.page import Section
from heedful.explanations.parts.bars import Bar, bars
from heedful.explanations.parts.heads import Layer
from heedful.explanations.parts.heads import heads as grid
from heedful.explanations.weights import distance, entropy
from heedful.layers.trace import Trace
from heedful.tasks.tour.guide import Guide
from heedful.tasks.tour.plan import Plan
from heedful.tasks.tour.trained import Trained

PARAGRAPH: Final = re.compile(r"\n\n([A-Z][a-z]+ [A-Za-z,.;\n \"-]{200})")


class Habit(NamedTuple):
    """What a head does on average: how many tokens back it looks, and how much it gives to the first token."""

    layer: str
    head: int
    back: float
    first: float


def heads(model: Trained, plan: Plan, guide: Guide) -> list[Section]:
    """The maps of one passage of the test text, and the habits of each head over many."""
    tokenizer, text = model.loaded.tokenizer, model.loaded.corpus().test
    passage = tokenizer.encode(text[opening(text) :])[: plan.passage]
    windows = cut(tokenizer.encode(text), model.loaded.model.context, plan.windows)
    found = habits(read(model, windows))
    near, far = min(found, key=lambda habit: habit.back), max(found, key=lambda habit: habit.back)
    guide.say(f"Looks nearest: {told(near)}; farthest: {told(far)}.")
    names = [tokenizer.show(int(token)) for token in passage]
    return [maps(read(model, passage[None]), names, found), distances(found, windows)]


def told(habit: Habit) -> str:
    """A head and its distance in words."""
    return f"{habit.layer}, head {habit.head} ({habit.back:.1f} tokens back)"


def opening(text: str) -> int:
    """Where a paragraph of plain sentences begins; 0 where there is none."""
    found = PARAGRAPH.search(text)
    return found.start(1) if found else 0


def cut(ids: Int[Tensor, " n"], context: int, count: int) -> Int[Tensor, "w t"]:
    """At most `count` whole contexts, spread over the text."""
    length = min(context, len(ids))
    starts = torch.linspace(0, len(ids) - length, min(count, len(ids) // length)).long()
    return torch.stack([ids[start : start + length] for start in starts.tolist()])


@torch.inference_mode()
def read(model: Trained, ids: Int[Tensor, "w t"]) -> tuple[Trace, ...]:
    """The weights of every layer."""
    traces: tuple[Trace, ...] = model.loaded.model(ids.to(model.loaded.device), trace=True).traces
    return traces


def habits(traces: Sequence[Trace]) -> list[Habit]:
    """Each head's means over windows and queries."""
    return [
        Habit(trace.name, head + 1, distance(weights), float(weights[..., 0].mean()))
        for trace in traces
        for head, weights in enumerate(trace.weights.float().cpu().unbind(1))
    ]


def maps(traces: Sequence[Trace], names: Sequence[str], found: Sequence[Habit]) -> Section:
    """The passage, head by head."""
    layers = [
        Layer(trace.name, trace.weights[0].float().cpu(), [f"{habit.back:.0f} back" for habit in found if habit.layer == trace.name])
        for trace in traces
    ]
    lead = (
        "A passage of the test text, which was not trained on. Rows read, columns are read: a dark stripe beside the diagonal looks at "
        "the token before, a dark left edge rests on the first one."
    )
    return Section("Every layer, every head", lead, [grid(layers, names, names, sharpest(traces))], "heads")


def sharpest(traces: Sequence[Trace]) -> tuple[int, int]:
    """The layer and head whose weights are least spread."""
    spread = [[entropy(head) for head in trace.weights.float().cpu().unbind(1)] for trace in traces]
    _, layer, head = min((value, i, j) for i, row in enumerate(spread) for j, value in enumerate(row))
    return layer, head


def distances(found: Sequence[Habit], windows: Int[Tensor, "w t"]) -> Section:
    """How far each head looks."""
    count, length = windows.shape
    rows = [Bar(f"{habit.layer}, head {habit.head}", habit.back, f"first token: {100 * habit.first:.0f} %") for habit in found]
    shown = bars(rows, "Mean distance in tokens between a token and what it reads; the share of its weight on the first one")
    alike = f"A head that read all of its past alike would look {even(length):.1f} tokens back."
    lead = f"Over {count} passages of {length} tokens of the test text. {alike}"
    return Section("How far each head looks", lead, [shown], "distance")


def even(length: int) -> float:
    """The mean distance of a head that spreads its weight evenly over the past.

    >>> even(3)
    0.5
    """
    past: Float[Tensor, "q k"] = torch.ones(length, length).tril()
    return distance((past / past.sum(-1, keepdim=True))[None])
