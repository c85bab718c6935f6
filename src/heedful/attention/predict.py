"""`heedful.predict_cost`: what a call would cost, before it is made and without its tensors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

import torch

from heedful.attention.backends.dispatch import pick
from heedful.attention.backends.load import load_of
from heedful.attention.backends.region import chosen
from heedful.attention.resolve import Options, resolve
from heedful.cost.table import current


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the backend would compute, and in which time.

    `milliseconds` is None where nothing is known of the backend; `measured`: from measurements on this machine and not
    from built-in rates.
    """

    backend: str
    milliseconds: float | None
    operations: int
    bytes: int
    measured: bool


def predict_cost(
    *,
    q: int,
    k: int | None = None,
    heads: int = 8,
    kv_heads: int | None = None,
    d: int = 64,
    v: int | None = None,
    batch: int = 1,
    dtype: torch.dtype = torch.float32,
    backward: bool = False,
    device: torch.device | str = "cpu",
    **options: Unpack[Options],
) -> Prediction:
    """Milliseconds, operations and bytes of a call of `attend`; nothing is computed.

    >>> import heedful
    >>> heedful.predict_cost(q=8192, heads=8, d=64, backend="sdpa").operations == 4 * 8 * 8192**2 * 64
    True
    >>> window = heedful.masks.Causal() & heedful.masks.Window(256)
    >>> heedful.predict_cost(q=8192, mask=window).milliseconds < heedful.predict_cost(q=8192).milliseconds
    True

    Arguments:
        q, k: queries and keys; as many keys as queries unless given.
        heads, kv_heads, d, v: query heads, key/value heads (as many unless given), width of a head, of a value (as d).
        batch: sequences.
        dtype, device: of the tensors.
        backward: the gradients of q, k and v too.
        options: as in `attend`; `backend` "auto" predicts the one that would be chosen.

    Errors: as `attend`. Measure first (`heedful bench --measure`, `heedful.measure`) for times that are this machine's.
    """
    keys, groups = q if k is None else k, heads if kv_heads is None else kv_heads
    sizes = ((batch, heads, q, d), (batch, groups, keys, d), (batch, groups, keys, d if v is None else v))
    tensors = [torch.empty((), dtype=dtype, device=device).expand(size).requires_grad_(backward) for size in sizes]
    with torch.set_grad_enabled(backward):
        call = resolve(tensors[0], tensors[1], tensors[2], options)
        row = pick(call, chosen(options.get("backend", "auto")))
        load = load_of(row.name, call)
    if load is None:
        return Prediction(row.name, None, 0, 0, False)
    table, cost = current(load.device), load.cost()
    return Prediction(row.name, table.milliseconds(load), cost.operations, cost.bytes, table.measured(load))
