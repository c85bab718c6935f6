"""What scores items after a history: a model or a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import torch
from jaxtyping import Float

from heedful.data.interactions.log import Numbers


class History(NamedTuple):
    """What one user had, the latest last: items, their seconds, and the features of the user; items a scorer cannot read are left out."""

    items: Numbers
    times: Numbers
    traits: Numbers | None = None


@dataclass(frozen=True)
class Learnt:
    """The histories to learn from, a row a user, with times (None: the log has none), and how many items there are."""

    rows: Sequence[Numbers]
    items: int
    times: Sequence[Numbers] | None = field(default=None)


class Scorer(Protocol):
    """Scores every item as the next of each history."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    def scores(self, histories: Sequence[History]) -> Float[torch.Tensor, "b v"]:
        """The scores (b, items)."""


def faded(histories: Sequence[History], items: int, fade: float) -> np.ndarray:
    """Histories as rows of weights over the items: 1 for the latest, `fade` for the one before it, and so on.

    >>> faded([History(np.array([0, 2]), np.zeros(2))], 3, 0.5).tolist()
    [[0.5, 0.0, 1.0]]
    """
    out = np.zeros((len(histories), items), dtype=np.float32)
    for i, history in enumerate(histories):
        known = history.items[history.items < items]
        np.maximum.at(out[i], known, (fade ** np.arange(len(known) - 1, -1, -1)).astype(np.float32))
    return out
