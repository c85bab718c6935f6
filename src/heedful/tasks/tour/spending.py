"""What share of the operations attention takes, here and in longer texts."""

from __future__ import annotations

import re
from typing import Final

from heedful.cost.summary import ModelCost, short
from heedful.explanations.page import Section
from heedful.explanations.parts.bars import Bar, bars
from heedful.tasks.tour.guide import Guide
from heedful.tasks.tour.trained import Trained

FEED: Final = re.compile(r"layers\.\d+\.feed")
LONGER: Final = (512, 2048, 8192)


def spending(model: Trained, guide: Guide) -> Section:
    """The parts of one forward pass, counted; and attention's share as the context grows, by its formula."""
    cost, context = model.cost, model.loaded.spec.model.context
    last = f"{longer(cost, context, LONGER[-1]):.0%} at {LONGER[-1]:,}"
    guide.say(f"Scores and weighted sums take {cost.share:.1%} of the operations at {context} tokens, {last}.")
    parts = bars(
        [Bar(name, 100 * share) for name, share in shares(cost).items()],
        f"One pass over {context} tokens: {short(cost.operations)} operations",
        "%",
        full=100,
    )
    growing = bars(
        [Bar(f"{length:,} tokens", 100 * longer(cost, context, length)) for length in (context, *LONGER)],
        "Scores and weighted sums, as a share of all operations",
        "%",
        full=100,
    )
    lead = (
        "Counted while the model runs: a multiply-add is two operations, and what a mask hides is computed too. Scores and weighted "
        "sums cost each token in proportion to the context; everything else costs it the same."
    )
    return Section("What attention took", lead, [parts, growing], "spending")


def shares(cost: ModelCost) -> dict[str, float]:
    """The parts of a pass as shares of its operations."""
    feed = sum(layer.operations for layer in cost.layers if FEED.fullmatch(layer.name))
    parts = {
        "scores and weighted sums": cost.core,
        "attention's projections": cost.attention - cost.core,
        "feed-forward": feed,
        "output over the vocabulary": cost.operations - cost.attention - feed,
    }
    return {name: operations / max(cost.operations, 1) for name, operations in parts.items()}


def longer(cost: ModelCost, context: int, length: int) -> float:
    """The share of scores and weighted sums at another length: they grow with it, a token's other operations do not."""
    core = cost.core * length / context
    return core / (core + cost.operations - cost.core)
