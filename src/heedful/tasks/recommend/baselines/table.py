"""The baselines there are."""

from __future__ import annotations

import time
from typing import NamedTuple

from heedful.errors import DataError
from heedful.tasks.recommend.baselines.ease import EASE
from heedful.tasks.recommend.baselines.item_knn import ItemKNN
from heedful.tasks.recommend.baselines.markov import Markov
from heedful.tasks.recommend.baselines.popularity import Popularity
from heedful.tasks.recommend.baselines.recency import Recency
from heedful.tasks.recommend.scorer import Learnt, Scorer

BASELINES: tuple[type[Popularity] | type[Recency] | type[ItemKNN] | type[Markov] | type[EASE], ...] = (
    Popularity,
    Recency,
    ItemKNN,
    Markov,
    EASE,
)


class Fitted(NamedTuple):
    """A scorer and the seconds it took to learn."""

    scorer: Scorer
    seconds: float


def fitted(learnt: Learnt) -> tuple[list[Fitted], list[str]]:
    """Every baseline that can learn from this log, and why the others cannot."""
    found, left_out = [], []
    for kind in BASELINES:
        started = time.perf_counter()
        try:
            scorer = kind(learnt)
        except DataError as error:
            left_out.append(f"{kind.name} left out: {error}")
            continue
        found.append(Fitted(scorer, time.perf_counter() - started))
    return found, left_out
