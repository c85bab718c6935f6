"""What came next after the last item (a first-order Markov chain), and where nothing is known, its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import numpy as np
import torch
from jaxtyping import Float

from heedful.tasks.recommend.baselines.item_knn import ItemKNN
from heedful.tasks.recommend.counting import following, sparse
from heedful.tasks.recommend.scorer import History, Learnt, faded


@final
class Markov:
    """P(next | last item) by counts, plus the history's ItemKNN.

    >>> learnt = Learnt([np.array([0, 1]), np.array([0, 2]), np.array([3, 0, 2])], 4)
    >>> Markov(learnt).scores([History(np.array([3, 0]), np.zeros(2))])[0].argmax().item()
    2
    """

    name: Final = "Markov + ItemKNN"

    def __init__(self, learnt: Learnt) -> None:
        self.items, self.beside = learnt.items, ItemKNN(learnt)
        after = following(learnt.rows, learnt.items)
        left = np.maximum(np.asarray(after.sum(1), dtype=np.float32).ravel(), 1)
        self.after = sparse().diags(1 / left) @ after

    def scores(self, histories: Sequence[History]) -> Float[torch.Tensor, "b v"]:
        """Shares after the last item, and neighbours of all."""
        last = sparse().csr_matrix(faded(histories, self.items, 0.0))
        shares = (last @ self.after).toarray().astype(np.float32)
        return torch.from_numpy(shares) + self.beside.scores(histories)
