"""How high what was taken next stood among all items: the model beside every baseline, by a stated protocol."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from heedful.data.interactions.feed import HistoryFeed
from heedful.data.interactions.log import Described, Numbers
from heedful.data.interactions.sequences import Sequences, said
from heedful.errors import DataError, UsageError
from heedful.models.ranker.gain import gain
from heedful.models.ranker.items import Catalogue
from heedful.models.ranker.ranker import without
from heedful.tasks.recommend.baselines.table import Fitted, fitted
from heedful.tasks.recommend.features import of_users
from heedful.tasks.recommend.loading import LoadedRanker
from heedful.tasks.recommend.newcomers import Newcomers, chosen_on
from heedful.tasks.recommend.scorer import History, Learnt, Scorer
from heedful.tasks.task import Evaluation, Listing, Measure, Record, refuse_trials

TOP: Final = 10
BATCH: Final = 256
ORDERS: Final = 3  # random orders of equal times that figures are the mean of
STRETCHES: Final = 3  # of the part that is measured, by time
Z: Final = 1.96
Column = NDArray[np.float64]


class Judged(NamedTuple):
    """One number a target: hit and discounted gain among the first ten, reciprocal rank; and how many items were in any first ten."""

    hit: Column
    ndcg: Column
    reciprocal: Column
    coverage: float


@dataclass(frozen=True)
class Ours:
    """The model as a scorer, over a catalogue that may hold new items."""

    loaded: LoadedRanker
    catalogue: Catalogue

    @property
    def name(self) -> str:
        """The reading and what stands beside it."""
        spec = self.loaded.model.spec
        return spec.reading + (" + votes" if spec.votes else "") + (" + content" if spec.content else "")

    def scores(self, histories: Sequence[History]) -> torch.Tensor:
        """The model's scores."""
        return self.loaded.scores(histories, self.catalogue)


@dataclass(frozen=True)
class Part:
    """What is measured: the log in order, the places of its targets, and whether what a user had may be recommended again."""

    found: Sequences
    places: Numbers
    repeats: bool
    traits: torch.Tensor | None = None

    def histories(self) -> Iterator[tuple[Numbers, list[History]]]:
        """Targets some at a time, those with histories of like length together, with what was before each."""
        starts = self.found.starts[:-1][self.found.owner[self.places]]
        order = np.argsort(self.places - starts, kind="stable")
        for chosen in np.array_split(order, range(BATCH, len(order), BATCH)):
            spans = [slice(int(starts[i]), int(self.places[i])) for i in chosen]
            owners = self.found.owner[self.places[chosen]]
            traits = [None] * len(chosen) if self.traits is None else list(self.traits[owners].numpy())
            yield (
                chosen,
                [History(self.found.item[span], self.found.time[span], row) for span, row in zip(spans, traits, strict=True)],
            )


def evaluate(loaded: LoadedRanker, measure: Measure) -> Evaluation:
    """HR@10, NDCG@10 and MRR of a model and of every baseline over all items, new ones apart."""
    if measure.stride is not None:
        raise UsageError("--stride scores a text token by token, and a ranker scores histories: without it, it would work")
    refuse_trials(measure, "recommend")
    name = measure.split or ("validation" if measure.data is None else "whole")
    parts = list(orders(loaded, measure.data, name))
    first, data = parts[0], loaded.data
    catalogue = loaded.catalogue(newcomers(loaded, first.found))
    base, left_out = fitted(learnt(first.found if measure.data is None else loaded.sequences()))
    entrants = [Fitted(Ours(loaded, catalogue), seconds_of(loaded)), *base]
    judged = {each.scorer.name: [judge(each.scorer, part) for part in parts] for each in entrants}
    users = [part.found.owner[part.places] for part in parts]
    rows = {each.scorer.name: row(judged[each.scorer.name], users, each.seconds) for each in entrants}
    where = name if measure.data is None else f"{name} of {measure.data}"
    mine = judged[entrants[0].scorer.name][0]
    rival = max((each.scorer.name for each in base), key=lambda one: float(judged[one][0].hit.mean()))
    listings = (by_kind(first, mine), *by_stretch(first, mine, judged[rival][0], rival))
    several = f"; means over {len(parts)} random orders of equal times" if len(parts) > 1 else ""
    count = len(np.unique(users[0]))
    again = "what a user had may come again" if data.repeats else "what a user had is left out"
    protocol = (
        f"{name} of {measure.data or data.source}: {len(first.places):,} targets of {count:,} users, each ranked among all "
        f"{len(catalogue.bias):,} items, {again}; {said(first.found, data)}{several}; nothing is refitted; margins are 95%, users drawn as "
        f"wholes; new items that a scorer cannot read are misses" + "".join(f"; {reason}" for reason in left_out)
    )
    return Evaluation(where, protocol, rows, listings)


def orders(loaded: LoadedRanker, source: str | None, name: str) -> Iterator[Part]:
    """The part that is measured, once for each random order of equal times that leaves the parts as they are."""
    data = loaded.data
    for order in range(ORDERS):
        found = loaded.sequences(source, order)
        places = found.targets(name)
        if not len(places):
            raise DataError(
                f"the {name} part of {source or data.source} has no target with a history: --split train, validation, test or whole"
            )
        content = loaded.model.spec.content
        traits = of_users(found, loaded.tokenizer.feature_ids, content.most) if content and loaded.model.reader is not None else None
        yield Part(found, places, data.repeats, traits)
        tied = found.log.timed and bool(((np.diff(found.time) == 0) & (np.diff(found.owner) == 0)).any())
        if data.ties != "random" or data.split != "time" or not tied:
            return


def welcome(loaded: LoadedRanker) -> Newcomers | None:
    """Choose how much new items' content counts, and keep it with the run; None for a model that reads no content."""
    part = next(orders(loaded, None, "validation"))
    described = newcomers(loaded, part.found)
    if not described:
        return None
    found = chosen_on(part, loaded.plain(described), lambda few, catalogue: float(judge(Ours(loaded, catalogue), few).ndcg.mean()))
    found.save(loaded.run.path)
    return found


def newcomers(loaded: LoadedRanker, found: Sequences) -> list[Described]:
    """What is known of the items that the model has not learnt, if it can read it."""
    return [] if loaded.model.spec.content is None else [found.about(i) for i in range(found.known, len(found.names))]


def learnt(found: Sequences) -> Learnt:
    """The histories the run learnt from, for the baselines."""
    rows = found.rows()
    times = [found.time[start : start + len(row)] for start, row in zip(found.starts[:-1].tolist(), rows, strict=True)]
    kept = [row < found.known for row in rows]
    items = [row[keep] for row, keep in zip(rows, kept, strict=True)]
    when = [row[keep] for row, keep in zip(times, kept, strict=True)] if found.log.timed else None
    return Learnt(items, found.known, when)


def judge(scorer: Scorer, part: Part) -> Judged:
    """Every target of a part under one scorer."""
    columns = np.zeros((3, len(part.places)))
    shown: set[int] = set()
    for chosen, histories in part.histories():
        scores = scorer.scores(histories)
        right = torch.from_numpy(part.found.item[part.places[chosen]])
        width = max(scores.shape[1], int(right.max()) + 1)
        scores = torch.nn.functional.pad(scores, (0, width - scores.shape[1]), value=-torch.inf)
        if not part.repeats:
            scores = without(scores, taken(histories, width))
        for column, values in zip(columns, gain(scores, right, TOP), strict=True):
            column[chosen] = values.numpy()
        shown.update(scores.topk(min(TOP, width), dim=1).indices.flatten().tolist())
    return Judged(columns[0], columns[1], columns[2], len(shown) / max(1, len(part.found.names)))


def taken(histories: Sequence[History], width: int) -> torch.Tensor:
    """What each user had, padded with -1."""
    out = np.full((len(histories), max(len(one.items) for one in histories)), -1, dtype=np.int64)
    for i, one in enumerate(histories):
        out[i, : len(one.items)] = np.where(one.items < width, one.items, -1)
    return torch.from_numpy(out)


def row(judged: Sequence[Judged], users: Sequence[Numbers], seconds: float) -> Record:
    """The means over targets (and orders), with their 95% margins."""
    found: dict[str, float] = {}
    for name, columns in (("hr@10", [one.hit for one in judged]), ("ndcg@10", [one.ndcg for one in judged])):
        found[name] = float(np.mean([column.mean() for column in columns]))
        found[f"{name}_margin"] = margin(columns[0], users[0])
    found["mrr"] = float(np.mean([one.reciprocal.mean() for one in judged]))
    found["coverage"] = judged[0].coverage
    found["fit_seconds"] = round(seconds, 2)
    return found


def margin(column: Column, users: Numbers) -> float:
    """Half of a 95% interval of the mean, users being what is drawn: 1.96 √Σ_u (Σ_t (x_t - mean))² / n."""
    sums = np.bincount(users, weights=column - column.mean())
    return float(Z * np.sqrt((sums**2).sum()) / len(column))


def by_kind(part: Part, judged: Judged) -> Listing:
    """The model on targets that it has learnt, and on new ones."""
    new = part.found.item[part.places] >= part.found.known
    rows: list[tuple[str | int | float, ...]] = [
        (kind, int(mask.sum()), float(judged.hit[mask].mean()), float(judged.ndcg[mask].mean()))
        for kind, mask in (("known", ~new), ("new", new))
        if mask.any()
    ]
    return Listing("the model by kind of item", ("items", "targets", "hr@10", "ndcg@10"), tuple(rows))


def by_stretch(part: Part, judged: Judged, beside: Judged, name: str) -> tuple[Listing, ...]:
    """The model, and a baseline, as time goes on without refitting; where there are times."""
    if not part.found.log.timed:
        return ()
    order = np.argsort(part.found.time[part.places], kind="stable")
    rows: list[tuple[str | int | float, ...]] = [
        (f"{i + 1} of {STRETCHES}", len(chosen), float(judged.hit[chosen].mean()), float(beside.hit[chosen].mean()))
        for i, chosen in enumerate(np.array_split(order, STRETCHES))
        if len(chosen)
    ]
    return (Listing("stretches of time, one after the other", ("stretch", "targets", "hr@10", f"hr@10 of {name}"), tuple(rows)),)


def seconds_of(loaded: LoadedRanker) -> float:
    """How long the run was trained."""
    if not loaded.run.history_path.is_file():
        return 0.0
    rows = [json.loads(line) for line in loaded.run.history_path.read_text(encoding="utf-8").splitlines()]
    return float(next((row["seconds"] for row in reversed(rows) if "seconds" in row), 0.0))


@dataclass(frozen=True)
class BaselinesOf:
    """The baselines on what training is judged by, fitted and measured when they are first asked for."""

    feed: HistoryFeed

    @cached_property
    def line(self) -> str:
        """NDCG@10 of each on the validation targets, in words."""
        base, left_out = fitted(learnt(self.feed.found))
        part = Part(self.feed.found, self.feed.places(), not self.feed.filtered)
        told = ", ".join(f"{one.scorer.name} {judge(one.scorer, part).ndcg.mean():.4f} ({one.seconds:.1f} s)" for one in base)
        return f"beside it, validation NDCG@10: {told}" + "".join(f"; {reason}" for reason in left_out)
