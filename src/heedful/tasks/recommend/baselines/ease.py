"""EASE: the linear model of items on items without their own, in closed form (Steck 2019, arXiv 1905.03375)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

import torch
from jaxtyping import Float

from heedful.errors import DataError
from heedful.tasks.recommend.counting import having
from heedful.tasks.recommend.scorer import History, Learnt, faded

RIDGE: Final = 300.0
MOST: Final = 8_000  # the largest matrix that is inverted


@final
class EASE:
    """X B with B = I - P / diag P and P = (XᵀX + 300 I)⁻¹; where users are fewer than items, P by a matrix of users (Woodbury).

    >>> import numpy as np
    >>> rows = [np.array([0, 1]), np.array([0, 1]), np.array([2])]
    >>> scores = EASE(Learnt(rows, 3)).scores([History(np.array([0]), np.zeros(1))])[0]
    >>> bool(scores[1] > scores[2])
    True

    Errors: `DataError` where neither users nor items are few enough to invert a matrix of.
    """

    name: Final = "EASE"

    def __init__(self, learnt: Learnt) -> None:
        users = len(learnt.rows)
        if min(users, learnt.items) > MOST:
            raise DataError(f"EASE inverts a matrix of {min(users, learnt.items):,} rows, more than {MOST:,}")
        self.items = learnt.items
        taken = torch.from_numpy(having(learnt.rows, learnt.items).toarray())
        if learnt.items <= users:
            self.left, self.right = None, inverse(taken.T @ taken)
            self.diagonal = self.right.diagonal().clone()
        else:
            self.left, self.right = taken.T, inverse(taken @ taken.T) @ taken
            self.diagonal = (1 - (self.left * self.right.T).sum(1)) / RIDGE

    def scores(self, histories: Sequence[History]) -> Float[torch.Tensor, "b v"]:
        """x - xP / diag P, where xP takes the history through the inverse."""
        x = torch.from_numpy(faded(histories, self.items, 1.0))
        through = x @ self.right if self.left is None else (x - (x @ self.left) @ self.right) / RIDGE
        return x - through / self.diagonal


def inverse(gram: Float[torch.Tensor, "n n"]) -> Float[torch.Tensor, "n n"]:
    """(gram + ridge)⁻¹."""
    return torch.cholesky_inverse(torch.linalg.cholesky(gram + RIDGE * torch.eye(len(gram))))
