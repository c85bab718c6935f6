"""Which past items a recommendation leans on: by what attention read, and by what is lost without each (deletion).

Attention says what was read; deletion says what the score rests on. Both stand side by side, and how far they agree is measured.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import torch
from jaxtyping import Float

from heedful.data.interactions.batches import padded
from heedful.errors import UsageError
from heedful.explanations.page import Section, page
from heedful.explanations.parts.bars import Bar, bars
from heedful.explanations.parts.prose import paragraph
from heedful.explanations.parts.table import table
from heedful.models.ranker.history import HistoryRanker
from heedful.models.ranker.ranker import Histories
from heedful.models.ranker.target import TargetRanker
from heedful.tasks.looked import index
from heedful.tasks.recommend.answer import Recommended
from heedful.tasks.recommend.loading import readable
from heedful.tasks.recommend.scorer import History
from heedful.tasks.task import Explanation, Record, View

CAUTION: Final = (
    "What is lost when a past item is taken away is what this recommendation rests on; what attention read need not be. Simulated or "
    "observational, neither says what would have happened to the person."
)


class Leaning(NamedTuple):
    """For each past item that was read: the weight of attention, and how many nats its absence takes from the recommended item."""

    places: list[int]
    weights: Float[torch.Tensor, " t"]
    lost: Float[torch.Tensor, " t"]


def leaning(answer: Recommended, view: View) -> Explanation:
    """The likeliest item, and what it leans on."""
    if not len(answer.history.items):
        raise UsageError("an empty history leans on nothing: one item or more would work")
    best = answer.best()
    item, before = best[0]
    found = leans(answer, item, before, view)
    record = {
        **answer.record(),
        "explained": answer.name(item),
        "leans_on": [told(answer, found, i) for i in found.lost.argsort(descending=True).tolist()],
        "agreement": agreement(found),
    }
    return Explanation(record, shown(answer, record, found, item))


@torch.inference_mode()
def leans(answer: Recommended, item: int, before: float, view: View) -> Leaning:
    """Weights and losses of every past item that the model reads."""
    read = readable(answer.history, len(answer.catalogue.bias), answer.loaded.model.context)
    first = len(answer.history.items) - len(read.items)
    fewer = [History(np.delete(read.items, i), np.delete(read.times, i), read.traits) for i in range(len(read.items))]
    lost = before - answer.logarithms(fewer)[:, item]
    return Leaning(list(range(first, first + len(read.items))), attended(answer, read, item, view), lost)


def attended(answer: Recommended, read: History, item: int, view: View) -> Float[torch.Tensor, " t"]:
    """What the last place (or the candidate) read of each past item: the mean over layers and heads, or of those asked for."""
    model = answer.loaded.model
    if isinstance(model, HistoryRanker):
        rows = [layer[:, -1].abs() for layer in layers_of(answer, read)]
    else:
        assert isinstance(model, TargetRanker)
        told = as_read(answer, read)
        keys = model.norm(model.embedded(told, answer.catalogue.vectors))
        asked = torch.tensor([[item]], device=answer.loaded.device)
        trace = model.ask(keys, asked, told.last[:, None], answer.catalogue, trace=True)[1]
        assert trace is not None
        rows = [trace.weights[0, :, 0]]
    chosen = rows if view.layer is None else [rows[index("layer", view.layer, len(rows))]]
    heads = [row if view.head is None else row[index("head", view.head, len(row))][None] for row in chosen]
    weights = torch.cat(heads).mean(0).cpu()
    return weights / weights.sum().clamp(min=1e-12)


def layers_of(answer: Recommended, read: History) -> list[Float[torch.Tensor, "h t t"]]:
    """The weights of every layer over the past items; of pointwise attention they sum to nothing in particular."""
    model = answer.loaded.model
    assert isinstance(model, HistoryRanker)
    return [layer[0].detach().float().cpu() for layer in model.encode(as_read(answer, read), answer.catalogue.vectors, trace=True).weights]


def as_read(answer: Recommended, read: History) -> Histories:
    """One history as the model takes it."""
    device = answer.loaded.device
    traits = None if read.traits is None else torch.from_numpy(read.traits)[None].to(device)
    return Histories(padded([read.items], 0).to(device), None, padded([read.times], 0).to(device), traits)


def told(answer: Recommended, found: Leaning, i: int) -> Record:
    """One past item."""
    place = found.places[i]
    item = int(answer.history.items[place])
    return {
        "place": place,
        "item": answer.name(item),
        "title": answer.title(item),
        "attention": round(float(found.weights[i]), 4),
        "lost_nats": round(float(found.lost[i]), 4),
    }


def agreement(found: Leaning) -> float | None:
    """Spearman's rank correlation of weights and losses; None for fewer than three items."""
    if len(found.places) < 3:
        return None
    ranks = torch.stack([column.double().argsort().argsort().double() for column in (found.weights, found.lost)])
    value = float(torch.corrcoef(ranks)[0, 1])
    return None if np.isnan(value) else round(value, 4)


def shown(answer: Recommended, record: Record, found: Leaning, item: int) -> str:
    """The page: what is recommended, and what the first of it leans on."""
    names = [answer.said(int(answer.history.items[place])) for place in found.places]
    order = found.lost.argsort(descending=True).tolist()
    listed = table(("item", "P(next)"), [(answer.said(i), float(np.exp(value))) for i, value in answer.best()], "What may come next")
    lost = bars([Bar(names[i], float(found.lost[i])) for i in order], "Nats lost without each past item", "nats")
    weights = bars([Bar(names[i], float(found.weights[i])) for i in order], "Share of attention, in the same order")
    agreed = "" if record["agreement"] is None else f"Rank correlation of the two over this history: {record['agreement']:.2f}."
    sections = [
        Section("Recommended", "After the history that was given.", [listed], "recommended"),
        Section(
            f"Why {answer.said(item)}", "Without one past item, the others as they were.", [lost, weights, paragraph(agreed)], "leaning"
        ),
    ]
    return page("What the recommendation leans on", CAUTION, sections, f"{answer.loaded.run.path}")
