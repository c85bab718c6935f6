"""What options of one layer lose together: its heads push the output at the same places, often the same way.

With e_t[h, k] = g_t . δ_t of head h under option k, the loss of a layer's choice is 1/(2T) Σ_t (Σ_h e_t[h, k_h])²: the Fisher
estimate with the heads of a layer taken together instead of one by one. Layers stay apart: taken together too they come out too
dear, for what a layer changes the next ones partly make good. (LOG.md: the sum over single heads is a fifth below what a plan
loses as a whole, this within a tenth.)
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

Gram = Float64[np.ndarray, "heads options heads options"]
MOST = 1 << 25  # numbers of all layers' tables; beyond, none are kept


def products(changes: Sequence[tuple[int, Float[Tensor, "b h n"]]], heads: int, options: int) -> Gram:
    """The sums over places of half the products of all changes of a layer's heads, each given with its option's number.

    >>> table = products([(1, torch.tensor([[[1.0], [2.0]]]))], heads=2, options=2)
    >>> table[0, 1, 1, 1], table[1, 1, 1, 1], table[0, 0].sum()
    (np.float64(1.0), np.float64(2.0), np.float64(0.0))
    """
    table = np.zeros((heads, options, heads, options))
    if not changes:
        return table
    columns = [column for column, _ in changes]
    flat = torch.stack([change.transpose(0, 1).flatten(1).float() for _, change in changes], dim=1).flatten(0, 1)
    found = (0.5 * flat @ flat.T).double().cpu().numpy().reshape(heads, len(columns), heads, len(columns))
    table[np.ix_(range(heads), columns, range(heads), columns)] = found
    return table


def loss(table: Gram, choice: Sequence[int]) -> float:
    """What a layer loses whose head i has option choice[i].

    >>> table = np.einsum("hk,gj->hkgj", *[np.array([[0.0, 1.0], [0.0, 2.0]])] * 2) / 2
    >>> loss(table, [1, 0]), loss(table, [0, 1]), loss(table, [1, 1])
    (0.5, 2.0, 4.5)
    """
    heads, options = np.arange(len(choice)), np.array(choice)
    return float(table[heads, options][:, heads, options].sum())


def written(table: Gram) -> str:
    """A table as text: numbers of four bytes, in base 64."""
    return base64.b64encode(table.astype("<f4").tobytes()).decode("ascii")


def read(text: str, heads: int, options: int) -> Gram:
    """What `written` wrote; `ValueError` for anything else.

    >>> table = np.arange(16.0).reshape(2, 2, 2, 2)
    >>> bool((read(written(table), 2, 2) == table).all())
    True
    """
    flat = np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4")
    return flat.astype(np.float64).reshape(heads, options, heads, options)
