"""Where a model looked for each token it made: its attention weights over the tokens before, as data and as a page.

Weights say what a layer read, not why the model decided: raw attention is a first look, and says so on its page
(Jain & Wallace 2019, arXiv 1902.10186; Wiegreffe & Pinter 2019, arXiv 1908.04626).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.errors import UsageError
from heedful.explanations.page import Section, page
from heedful.explanations.parts.heads import Layer, heads
from heedful.explanations.parts.text import text_pane
from heedful.layers.trace import Trace
from heedful.tasks.continuation import Continuation
from heedful.tasks.task import Explanation, View

MOST: Final = 256  # tokens of a text that are explained; the latest where there are more
CAUTION: Final = "Attention weights show what each layer read; they do not prove why a token was chosen."


@dataclass(frozen=True)
class Looks:
    """The weights (h, n, t) of every layer for n new tokens, the last of t; row i is the step that made token t - n + i."""

    tokens: list[str]
    new: int
    layers: list[Trace]

    def chosen(self, view: View) -> Float[Tensor, "n t"]:
        """The weights a view asks for: of one layer and head, or their mean."""
        layers = [layer.weights for layer in self.layers]
        picked = layers if view.layer is None else [layers[index("layer", view.layer, len(layers))]]
        if view.head is not None:
            picked = [weights[index("head", view.head, len(weights))][None] for weights in picked]
        return torch.stack([weights.mean(0) for weights in picked]).mean(0)


def index(what: str, number: int, count: int) -> int:
    """A number counted from 1 as an index."""
    if not 1 <= number <= count:
        raise UsageError(f"--{what} {number}: the model has {count} {what}s; 1 to {count} would work")
    return number - 1


def looked(continuation: Continuation, view: View) -> Explanation:
    """Make the continuation, read it once more with all weights kept, and show them."""
    record = dict(continuation.record())
    looks = looks_of(continuation)
    weights = looks.chosen(view)
    start = len(looks.tokens) - looks.new
    record |= {"layer": view.layer or "mean", "head": view.head or "mean", "pieces": looks.tokens, "start": start}
    record["looked"] = [listed(looks, weights[i], start + i, view.top) for i in range(looks.new)]
    return Explanation(record, shown(continuation, looks, weights, view))


@torch.inference_mode()
def looks_of(continuation: Continuation) -> Looks:
    """One pass over prompt and continuation; what the text's end adds to a window is left out, and said on the page."""
    model, tokenizer = continuation.loaded.model, continuation.loaded.tokenizer
    made = torch.tensor([each.token for each in continuation.made], dtype=torch.long)
    ids = torch.cat([continuation.given, made])[-min(MOST, model.reach) :]
    new = min(len(made), len(ids) - 1)
    if new < 1:
        raise UsageError(
            "there is no new token to explain: --max-tokens of 1 or more, and a stop string that is not the first thing made, would work"
        )
    traces = model(ids[None].to(continuation.loaded.device), trace=True).traces
    if not traces:
        raise UsageError(f"this {continuation.loaded.spec.model.kind} model has no attention to show: it was trained without")
    return Looks([tokenizer.show(int(i)) for i in ids], new, [behind(trace, ids, new) for trace in traces])


def behind(trace: Trace, ids: Int[Tensor, " t"], new: int) -> Trace:
    """The rows that made the new tokens: a token is made at the place before it."""
    return Trace(trace.weights[0, :, -new - 1 : -1].float().cpu(), trace.name)


def listed(looks: Looks, row: Float[Tensor, " t"], place: int, top: int) -> dict[str, object]:
    """One new token and the tokens it looked at most."""
    best = row.topk(min(top, place))
    at = [
        {"place": int(i), "token": looks.tokens[int(i)], "weight": round(float(w), 4)}
        for w, i in zip(best.values, best.indices, strict=True)
        if w > 0
    ]
    return {"place": place, "token": looks.tokens[place], "at": at}


def shown(continuation: Continuation, looks: Looks, weights: Float[Tensor, "n t"], view: View) -> str:
    """The page: the text that shows where each token looked, and every head."""
    start = len(looks.tokens) - looks.new
    whose = f"{'all layers' if view.layer is None else f'layer {view.layer}'}, {'all heads' if view.head is None else f'head {view.head}'}"
    whole = len(continuation.given) + len(continuation.made)
    bound = f" Of {whole} tokens, the last {len(looks.tokens)} are shown." if whole > len(looks.tokens) else ""
    text = text_pane(looks.tokens, weights, start, f"The continuation; weights of {whose}")
    grid = heads([Layer(layer.name, layer.weights) for layer in looks.layers], looks.tokens[start:], looks.tokens)
    sections = [
        Section("Where it looked", f"Each new token with what was read to make it.{bound}", [text], "text"),
        Section("Every head", "Queries are the new tokens, keys the whole text.", [grid], "heads"),
    ]
    return page("Where the model looked", CAUTION, sections, f"{continuation.loaded.run.path}, seed {continuation.seed}")
