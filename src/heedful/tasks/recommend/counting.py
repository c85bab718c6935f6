"""What is counted of the histories to learn from: who had what, what followed what, and each item's nearest neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import torch

from heedful.data.interactions.log import Numbers
from heedful.errors import MissingExtra
from heedful.models.ranker.votes import CALM, Counts

BLOCK: Final = 1 << 22  # cells of a dense slice of the items' table

Rows = Sequence[Numbers]


def sparse() -> Any:
    """scipy's sparse matrices."""
    try:
        from scipy import sparse as found
    except ImportError:
        raise MissingExtra("scipy", "recommend", "counting who took what") from None
    return found


def having(rows: Rows, items: int) -> Any:
    """1 where a user (row) had an item (column): a sparse matrix in float32.

    >>> having([np.array([0, 2, 2])], 3).toarray().tolist()
    [[1.0, 0.0, 1.0]]
    """
    owner = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    taken = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    pairs = np.unique(owner * items + taken)
    return sparse().csr_matrix((np.ones(len(pairs), dtype=np.float32), (pairs // items, pairs % items)), shape=(len(rows), items))


def following(rows: Rows, items: int) -> Any:
    """In how many histories an item (column) came directly after another (row).

    >>> following([np.array([0, 2, 1]), np.array([0, 2])], 3).toarray().tolist()
    [[0.0, 0.0, 2.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    pairs = [np.unique(row[:-1] * items + row[1:]) for row in rows if len(row) > 1]
    every, counts = np.unique(np.concatenate(pairs) if pairs else np.zeros(0, dtype=np.int64), return_counts=True)
    return sparse().csr_matrix((counts.astype(np.float32), (every // items, every % items)), shape=(items, items))


def slices(taken: Any) -> Iterator[tuple[slice, np.ndarray[Any, np.dtype[np.float32]]]]:
    """In how many histories two items stand together: some rows of that table at a time, dense."""
    items, across = taken.shape[1], taken.T.tocsr()
    step = max(1, BLOCK // max(1, items))
    for at in range(0, items, step):
        yield slice(at, min(at + step, items)), (across[at : at + step] @ taken).toarray()


def neighbours(rows: Rows, items: int, most: int) -> Counts:
    """The `most` items that follow each item and stand beside it most, by share and cosine together, with their counts.

    >>> counts = neighbours([np.array([0, 1]), np.array([0, 1, 2])], 3, most=2)
    >>> counts.neighbours[:2].tolist(), counts.followed[0].tolist(), counts.beside[0].tolist()
    ([[1, 2], [2, 0]], [2.0, 0.0], [2.0, 1.0])
    """
    taken, after = having(rows, items), following(rows, items)
    had = np.asarray(taken.sum(0), dtype=np.float32).ravel()
    left = np.bincount(np.concatenate([np.unique(row[:-1]) for row in rows]), minlength=items).astype(np.float32)
    parts: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    for part, together in slices(taken):
        follows = after[part].toarray()
        near = together / np.sqrt(np.maximum(had[part, None] * had, 1)) + follows / (left[part, None] + CALM)
        near[np.arange(len(near)), np.arange(part.start, part.stop)] = 0.0
        best = torch.from_numpy(near).topk(min(most, items), dim=1)
        ids = best.indices.masked_fill(best.values <= 0, -1)
        both = [torch.from_numpy(table).gather(1, best.indices) for table in (follows, together)]
        parts.append((ids, both[0], both[1]))
    ids, follows_, beside = (wide(torch.cat(column), most) for column in zip(*parts, strict=True))
    return Counts(ids, follows_, beside, torch.from_numpy(left), torch.from_numpy(had))


def wide(column: torch.Tensor, most: int) -> torch.Tensor:
    """As many columns as asked for, where there are fewer items than that."""
    return torch.nn.functional.pad(column, (0, most - column.shape[1]), value=-1 if column.dtype == torch.int64 else 0.0)
