"""The same for everybody: how many users had an item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import numpy as np
import torch
from jaxtyping import Float

from heedful.tasks.recommend.scorer import History, Learnt


@final
class Popularity:
    """Counts.

    >>> Popularity(Learnt([np.array([1]), np.array([0, 1])], 3)).scores([History(np.array([0]), np.zeros(1))]).tolist()
    [[1.0, 2.0, 0.0]]
    """

    name: Final = "popularity"

    def __init__(self, learnt: Learnt) -> None:
        counts = np.bincount(np.concatenate(list(learnt.rows)), minlength=learnt.items)
        self.counts = torch.from_numpy(counts.astype(np.float32))

    def scores(self, histories: Sequence[History]) -> Float[torch.Tensor, "b v"]:
        """The same row for each."""
        return self.counts.expand(len(histories), -1)
