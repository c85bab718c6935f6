"""What each backend would compute of a call: the kernel whose time is looked up, its sizes, and how often it runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import torch

from heedful.attention.backends import sdpa
from heedful.attention.backends.packed import lengths_of, packed_in
from heedful.attention.call import Call
from heedful.attention.masks.mask import Lengths
from heedful.attention.masks.seen import seen
from heedful.attention.masks.spans import BLOCK
from heedful.attention.native.build import compiler
from heedful.attention.schedule.cache import schedule
from heedful.attention.schedule.identity import identity
from heedful.cost.attention import Sizes
from heedful.cost.load import Load

MATRIX = 32  # numbers in a row of the matrix instructions' operands, for bfloat16
BESIDE = 1.25  # times as long the compiled engine takes over short texts whose heads lie side by side: LOG.md, the engine
SMALL = 1 << 18  # pairs of query and key; below, the tables of a mask that was given as a tensor are not looked at


def load_of(backend: str, call: Call) -> Load | None:
    """The load of a backend that can serve the call; None for one that is not known."""
    known = LOADS.get(backend)
    return None if known is None else known(call)


def load(kernel: str, call: Call, density: float = 1.0) -> Load:
    """A load at the call's sizes."""
    b, h, q, k = call.sizes
    _, g, _, v = call.v.shape
    d = call.q.shape[-1]
    sizes = Sizes(b, h, g, q, k, d, v, density, call.q.dtype, None if call.k.shape[-1] == d else call.k.shape[-1])
    return Load(kernel, sizes, 1, needs_gradients(call), call.q.device.type)


def needs_gradients(call: Call) -> bool:
    """Whether a backward pass will follow."""
    return torch.is_grad_enabled() and (call.q.requires_grad or call.k.requires_grad or call.v.requires_grad)


def of_sdpa(call: Call) -> Load:
    """torch's kernel computes every pair, but for its own causal switch; a table is made and read for any other mask."""
    if call.bias is not None or (call.position is not None and call.position.adds_bias):
        return load("sdpa dense", call)
    if call.mask is None:
        return load("sdpa", call)
    return load("sdpa causal" if sdpa.is_upper_left_causal(call) else "sdpa dense", call)


def of_naive(call: Call) -> Load:
    """Every pair."""
    return load("naive" if call.mask is None else "naive masked", call)


def of_tiles(call: Call) -> Load:
    """The blocks that hold something; one engine serves both rows of the table."""
    compiled = call.q.device.type == "cpu" and compiles()
    engine = "tiles" if compiled else "torch tiles"
    whole = load(engine if call.mask is None else f"{engine} masked", call, share_of(call))
    if not compiled:
        return whole
    grain, times = MATRIX if call.q.dtype == torch.bfloat16 else 1, BESIDE if beside(call) else 1.0
    return replace(whole, grain=grain, rows=BLOCK, times=times)  # of a tile of queries all are computed


def beside(call: Call) -> bool:
    """Whether the heads lie side by side in each place, as a layer's projections leave them."""
    return call.q.stride(1) < call.q.stride(2)


@cache
def compiles() -> bool:
    """Whether the compiled engine may be expected: it is not compiled only to be told so."""
    return os.environ.get("HEEDFUL_NATIVE") != "0" and compiler() is not None


def of_flex(call: Call) -> Load:
    """The blocks that hold something."""
    return load("flex", call, share_of(call))


def of_decode(call: Call) -> Load:
    """The keys that any of the queries may see."""
    _, _, q, k = call.sizes
    ranges = seen(call.mask, k - q, k - 1, Lengths(q, k)).some
    whole = load("decode", call)
    return replace(whole, sizes=replace(whole.sizes, k=sum(stop - start for start, stop in ranges)))


def of_varlen(call: Call) -> Load:
    """A call a text, each as long as their root mean square; on an accelerator one kernel over all of them."""
    packed = packed_in(call.mask)
    lengths = None if packed is None else lengths_of(packed.documents.ids)
    if not lengths:
        return load("sdpa", call)
    every = [length for row in lengths for length in row]
    pairs = sum(length * length for length in every) / max(len(lengths), 1)
    if call.q.device.type != "cpu":
        return load("varlen", call, pairs / max(call.q.shape[2] ** 2, 1))
    mean = max(1, round((pairs * len(lengths) / max(len(every), 1)) ** 0.5))
    whole = load("sdpa" if packed is None or packed.within is None else "sdpa causal", call)
    pieces = len(every) * (call.q.shape[0] if len(lengths) == 1 else 1)
    return replace(whole, sizes=replace(whole.sizes, b=1, q=mean, k=mean), pieces=pieces)


def share_of(call: Call) -> float:
    """The share of the blocks that hold something; 1 where looking would cost as much as attending."""
    if call.mask is None:
        return 1.0
    known = identity(call.mask)
    if known is None or (known.tensors and call.q.shape[2] * call.k.shape[2] < SMALL):
        return 1.0
    return schedule(call.mask, *call.sizes, call.q.device).share()


LOADS: Mapping[str, Callable[[Call], Load]] = {
    "sdpa": of_sdpa,
    "naive": of_naive,
    "tiled": of_tiles,
    "banded": of_tiles,
    "flex": of_flex,
    "decode": of_decode,
    "varlen": of_varlen,
}
