"""Few queries against many keys, in one call of the library.

A step of generation takes tens of microseconds, so what the library is given is packed at once: fields set one by one would
take as long as the attention.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from struct import Struct

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.utils._python_dispatch import _get_current_dispatch_mode

from heedful.attention.masks.seen import Ranges
from heedful.attention.native.build import opened
from heedful.attention.native.fill import KINDS, dense
from heedful.errors import HeedfulError

# `Step` of decode.h: q, k, v and out, each a place and three strides; where lse, factor, sinks and ranges lie; two tables, each a
# place and four strides; nine sizes; scale and softcap.
STEP = Struct("@16q4q10q9q2d")
NOTHING = (0, 0, 0, 0, 0)


Door = Callable[..., int]


@cache
def door() -> Door | str:
    """The library's door for this, or the reason why there is none."""
    found = opened()
    if isinstance(found, str):
        return found
    size = found.heedful_step_size()
    if size != STEP.size:
        return f"its library takes a step of {size} bytes, not {STEP.size}"
    decode: Door = found.heedful_decode
    return decode


def why_not(q: Tensor) -> str | None:
    """It needs the CPU, numbers it knows, and a compiler to have been there once."""
    if q.device.type != "cpu":
        return f"it runs on the CPU, not on {q.device.type}"
    if q.dtype not in KINDS:
        return f"it knows no {q.dtype}"
    if _get_current_dispatch_mode() is not None:
        return "something watches torch's operations (a counter, a tracer), and its own are none of them"
    found = door()
    return found if isinstance(found, str) else None


def entry() -> Door:
    """The door, where there is one."""
    found = door()
    assert not isinstance(found, str)
    return found


@dataclass(slots=True, eq=False)
class Few:
    """softmax(cap(factor q·k) + added, where allowed) v over the keys in `ranges`, which are in order and apart.

    `added` and `allowed` broadcast to (b, h, q, n), n the keys in the ranges, one range after the other. A factor that is a
    tensor holds one number for each head.
    """

    q: Float[Tensor, "b h q d"]
    k: Float[Tensor, "b g k d"]
    v: Float[Tensor, "b g k v"]
    ranges: Ranges
    factor: float | Tensor
    softcap: float | None = None
    sink_logits: Float[Tensor, " h"] | None = None
    added: Float[Tensor, "..."] | None = None
    allowed: Bool[Tensor, "#b #h #q #n"] | None = None


def decoded(few: Few, lse: Float[Tensor, "b h q"] | None = None) -> Float[Tensor, "b h q v"]:
    """The output; `lse`, float32 (float64 for float64) and dense, is filled where it is given."""
    q, k, v, factor = dense(few.q), dense(few.k), dense(few.v), few.factor
    b, h, q_len, d = q.shape
    _, g, _, v_width = v.shape
    out = q.new_empty((b, h, q_len, v_width))
    factors = factor.detach().double().reshape(-1).expand(h).contiguous() if isinstance(factor, Tensor) else None
    sinks = None if few.sink_logits is None else few.sink_logits.detach().double().contiguous()
    edges = flat(few.ranges)
    added, allowed = tables(few)
    step = STEP.pack(
        *(q.data_ptr(), *q.stride()[:3]),
        *(k.data_ptr(), *k.stride()[:3]),
        *(v.data_ptr(), *v.stride()[:3]),
        *(out.data_ptr(), *out.stride()[:3]),
        0 if lse is None else lse.data_ptr(),
        0 if factors is None else factors.data_ptr(),
        0 if sinks is None else sinks.data_ptr(),
        ctypes.addressof(edges),
        *(NOTHING if added is None else (added.data_ptr(), *added.stride())),
        *(NOTHING if allowed is None else (allowed.data_ptr(), *allowed.stride())),
        *(len(edges) // 2, b, h, g, q_len, d, v_width, KINDS[q.dtype], torch.get_num_threads()),
        0.0 if isinstance(factor, Tensor) else factor,
        few.softcap or 0.0,
    )
    code = entry()(step)
    if code:
        raise HeedfulError(f"heedful_decode failed: {'there is not enough memory' if code == 2 else f'unknown type of numbers {q.dtype}'}")
    return out


def tables(few: Few) -> tuple[Tensor | None, Tensor | None]:
    """`added` and `allowed` with all their axes, broadcast ones without a step."""
    if few.added is None and few.allowed is None:
        return None, None
    shape = (*few.q.shape[:3], sum(stop - start for start, stop in few.ranges))
    real = torch.float64 if few.q.dtype == torch.float64 else torch.float32
    added = None if few.added is None else few.added.detach().to(real).expand(shape)
    return added, None if few.allowed is None else few.allowed.expand(shape)


@lru_cache(maxsize=256)
def flat(ranges: Ranges) -> ctypes.Array[ctypes.c_int64]:
    """The ranges' edges beside each other."""
    edges = [edge for both in ranges for edge in both]
    return (ctypes.c_int64 * len(edges))(*edges)
