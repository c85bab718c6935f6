"""What is taken now: counts that fade with time (Ji et al. 2020, SIGIR, on popularity as a baseline)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import numpy as np
import torch
from jaxtyping import Float

from heedful.errors import DataError
from heedful.tasks.recommend.scorer import History, Learnt

HALF: Final = 0.02  # of the log's span: after so much time an interaction counts half


@final
class Recency:
    """Counts of the interactions, each halved for every fiftieth of the log's span that it lies behind its end.

    >>> times = [np.array([0]), np.array([0, 100])]
    >>> Recency(Learnt([np.array([1]), np.array([1, 0])], 2, times)).scores([History(np.array([0]), np.zeros(1))])[0, 0].item()
    1.0

    Errors: `DataError` where the log has no times.
    """

    name: Final = "recency"

    def __init__(self, learnt: Learnt) -> None:
        if learnt.times is None:
            raise DataError("recency counts what was taken last, and the log has no times")
        when = np.concatenate(list(learnt.times)).astype(np.float64)
        age = (when.max() - when) / max(1.0, float(np.ptp(when)) * HALF)
        counts = np.bincount(np.concatenate(list(learnt.rows)), weights=0.5**age, minlength=learnt.items)
        self.counts = torch.from_numpy(counts.astype(np.float32))

    def scores(self, histories: Sequence[History]) -> Float[torch.Tensor, "b v"]:
        """The same row for each."""
        return self.counts.expand(len(histories), -1)
