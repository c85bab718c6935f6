"""The choice of `auto`: of the backends that can serve a call, the one whose predicted time is least."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from heedful.attention.backends.backend import Backend
from heedful.attention.backends.load import beside, load_of, needs_gradients
from heedful.attention.call import Call
from heedful.attention.masks.mask import Mask
from heedful.attention.schedule.identity import identity
from heedful.cost.table import current

RANKED: dict[tuple[object, ...], tuple[Backend, ...]] = {}
MOST = 1024  # rankings kept


def quickest(call: Call, rows: Sequence[Backend]) -> Backend:
    """The row with the least predicted time of those that can serve; the first in the table's order where times cannot be told.

    They cannot in a traced graph. The rows are ranked once for each kind of call, and asked in that order.
    """
    if torch.compiler.is_compiling() or torch.compiler.is_exporting() or type(call.q.shape[2]) is not int:
        return next(row for row in rows if row.why_not(call) is None)
    key = key_of(call)
    ranked = RANKED.get(key)
    if ranked is None:
        if len(RANKED) >= MOST:
            RANKED.clear()
        RANKED[key] = ranked = tuple(sorted(rows, key=lambda row: predicted(row.name, call) or math.inf))
    return next(row for row in ranked if row.why_not(call) is None)


def predicted(backend: str, call: Call) -> float | None:
    """Milliseconds that a backend would take for a call, if it can serve it; None where nothing is known of it."""
    load = load_of(backend, call)
    return None if load is None else current(load.device).milliseconds(load)


def key_of(call: Call) -> tuple[object, ...]:
    """What a prediction depends on. (Numbers of tensors may come again for others: the order is then off, never the result.)"""
    return (
        call.q.shape,
        call.v.shape,
        call.q.dtype,
        call.q.device,
        torch.get_num_threads(),
        beside(call),
        needs_gradients(call),
        of_mask(call.mask),
        call.bias is None,
        call.position is None or not call.position.adds_bias,
    )


def of_mask(mask: Mask | None) -> object:
    """A mask as a key: itself, unless it holds tensors, which a key must not keep, or something that is no key."""
    if mask is None:
        return None
    if mask.home is None:
        try:
            hash(mask)
        except TypeError:  # a rule whose function is an object of its own making
            return None
        return mask
    known = identity(mask)
    return None if known is None else known.key
