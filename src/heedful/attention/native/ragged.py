"""One step of a layer whose key/value heads hold different numbers of keys, in one call of the library.

The call turns the new token's query and key to its place, writes key and value where they belong, and reads what each head still
holds: a step of a layer costs one call however many kinds of heads there are.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache
from struct import Struct

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.native.build import opened
from heedful.attention.native.decode import Door
from heedful.attention.native.fill import KINDS, dense
from heedful.errors import HeedfulError

# `Ragged` of ragged.h: q, k, v and out, each a place and three strides; where factor, sinks, readers, cosine and sine lie; eleven
# sizes; scale and softcap.
RAGGED = Struct("@16q5q11q2d")

Table = ctypes.Array[ctypes.c_int64]


@dataclass(slots=True, eq=False)
class Reader:
    """Query heads `head` ... `head + heads - 1` of one sequence that read one key/value head.

    `k`, `v`: where its slots lie, dense rows. Slots below `pinned` are never overwritten, the `ring` after them are, in turn
    (0: slots go on). Token n of the text is token n + `shift` of this head. `sinks`, `window`: which are read, the first and
    the newest (0: all that is held). `key`: which of the new keys is this head's; `writes`: whether this reader stores it.
    """

    k: int
    v: int
    pinned: int
    ring: int
    shift: int
    head: int
    heads: int
    key: int
    sinks: int
    window: int
    writes: bool


def table(readers: list[Reader]) -> Table:
    """The readers of each sequence in turn, as the library takes them."""
    flat = [int(x) for r in readers for x in (r.k, r.v, r.pinned, r.ring, r.shift, r.head, r.heads, r.key, r.sinks, r.window, r.writes)]
    return (ctypes.c_int64 * len(flat))(*flat)


@cache
def door() -> Door | str:
    """The library's door for this, or the reason why there is none."""
    found = opened()
    if isinstance(found, str):
        return found
    size = found.heedful_ragged_size()
    if size != RAGGED.size:
        return f"its library takes a ragged step of {size} bytes, not {RAGGED.size}"
    ragged: Door = found.heedful_ragged
    return ragged


@dataclass(slots=True, eq=False)
class Turning:
    """Cosines and sines (n, f) of every pair's angle at places 0 ... n - 1, and which features make a pair."""

    cosine: Float[Tensor, "n f"]
    sine: Float[Tensor, "n f"]
    interleaved: bool


@dataclass(slots=True, eq=False)
class Held:
    """What a layer holds: a table of readers, `count` for each sequence, and how many tokens came before."""

    readers: Table
    count: int
    length: int


def stepped(
    q: Float[Tensor, "b h 1 d"],
    k: Float[Tensor, "b g 1 d"],
    v: Float[Tensor, "b g 1 v"],
    held: Held,
    scale: float,
    softcap: float | None = None,
    sinks: Float[Tensor, " h"] | None = None,
    factor: Float[Tensor, " h"] | None = None,
    turning: Turning | None = None,
) -> Float[Tensor, "b h v"]:
    """The output of the new token; its key and value are stored. `sinks` and `factor` are float64."""
    q, k, v = dense(q), dense(k), dense(v)
    b, h, _, d = q.shape
    g, v_width = v.shape[1], v.shape[3]
    out = q.new_empty(b, h, v_width)
    cosine = sine = pairs = 0
    if turning is not None:
        pairs = turning.cosine.shape[1]
        at = held.length * pairs * turning.cosine.element_size()
        cosine, sine = turning.cosine.data_ptr() + at, turning.sine.data_ptr() + at
    code = entry()(
        RAGGED.pack(
            *(q.data_ptr(), *q.stride()[:3]),
            *(k.data_ptr(), *k.stride()[:3]),
            *(v.data_ptr(), *v.stride()[:3]),
            *(out.data_ptr(), h * v_width, v_width, v_width),
            0 if factor is None else factor.data_ptr(),
            0 if sinks is None else sinks.data_ptr(),
            *(ctypes.addressof(held.readers), cosine, sine),
            *(held.count, b, h, g, d, v_width, pairs, turning is not None and turning.interleaved),
            *(held.length, KINDS[q.dtype], torch.get_num_threads()),
            scale,
            softcap or 0.0,
        )
    )
    if code:
        raise HeedfulError(f"heedful_ragged failed: {'there is not enough memory' if code == 2 else f'unknown type of numbers {q.dtype}'}")
    return out


def entry() -> Door:
    """The door, where there is one."""
    found = door()
    assert not isinstance(found, str)
    return found
