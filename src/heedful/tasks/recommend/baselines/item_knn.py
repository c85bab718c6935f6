"""Neighbours of what was taken, by the cosine of who had them (Deshpande & Karypis 2004, TOIS), the latest counting most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import numpy as np
import torch
from jaxtyping import Float

from heedful.tasks.recommend.counting import having, slices, sparse
from heedful.tasks.recommend.scorer import History, Learnt, faded

MOST: Final = 100  # neighbours of an item
FADE: Final = 0.8  # what an item counts beside the one after it


@final
class ItemKNN:
    """Σ over the history of 0.8^age · cosine, over the 100 nearest neighbours of each item.

    >>> learnt = Learnt([np.array([0, 1]), np.array([0, 1]), np.array([1, 2])], 3)
    >>> scores = ItemKNN(learnt).scores([History(np.array([0]), np.zeros(1))])[0]
    >>> round(float(scores[1]), 3), float(scores[2])
    (0.816, 0.0)
    """

    name: Final = "ItemKNN"

    def __init__(self, learnt: Learnt) -> None:
        self.items = learnt.items
        taken = having(learnt.rows, learnt.items)
        size = np.maximum(np.asarray(taken.sum(0), dtype=np.float32).ravel(), 1)
        rows, columns, values = [], [], []
        for part, together in slices(taken):
            near = together / np.sqrt(size[part, None] * size)
            near[np.arange(len(near)), np.arange(part.start, part.stop)] = 0.0
            best = torch.from_numpy(near).topk(min(MOST, self.items), dim=1)
            rows.append(np.repeat(np.arange(part.start, part.stop), best.indices.shape[1]))
            columns.append(best.indices.numpy().ravel())
            values.append(best.values.numpy().ravel())
        cells = (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns)))
        self.near = sparse().csr_matrix(cells, shape=(self.items, self.items))
        self.near.eliminate_zeros()

    def scores(self, histories: Sequence[History]) -> Float[torch.Tensor, "b v"]:
        """The sums over each history."""
        weights = sparse().csr_matrix(faded(histories, self.items, FADE))
        return torch.from_numpy((weights @ self.near).toarray())
