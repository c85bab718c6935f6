"""Work as the library's problem: pointers, strides, and what has to be laid out anew for it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.native.library import AT, PLACES, PROBLEM, Problem, place
from heedful.attention.tiles.work import Work

KINDS = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2, torch.float16: 3}
BLOCK = 64
NOWHERE: tuple[int, ...] = 5 * (0, 0, 0, 0)  # out, dout, dq, dk, dv


@dataclass(slots=True)
class Filled:
    """A problem, the memory it lies in, and the tensors that must live as long as it does."""

    problem: Problem
    memory: bytearray
    q: Tensor
    k: Tensor
    v: Tensor
    real: torch.dtype
    kept: list[Tensor] = field(default_factory=list)

    def keep(self, x: Tensor) -> int:
        """The tensor's place in memory, which stays."""
        self.kept.append(x)
        return x.data_ptr()

    def put(self, name: str, x: Tensor) -> None:
        """The tensor as one of the problem's matrices."""
        PLACES.pack_into(self.memory, AT[name], *place(x))


def dense(x: Tensor) -> Tensor:
    """The tensor, its last axis without gaps."""
    return x if x.stride(-1) == 1 else x.contiguous()


def alike(x: Tensor, width: int) -> Tensor:
    """A new tensor (b, heads, n, width) laid out as x is: by heads, or by places with the heads side by side."""
    b, h, n, _ = x.shape
    if x.stride(1) < x.stride(2):
        return x.new_empty(b, n, h, width).transpose(1, 2)
    return x.new_empty(b, h, n, width)


def reversed_line(relative: Float[Tensor, "#h n"], real: torch.dtype) -> Float[Tensor, "#h m"]:
    """By query less key, in powers of two, and a block longer, so that whole vectors may be read."""
    return torch.nn.functional.pad(relative.detach().to(real).flip(-1) * math.log2(math.e), (0, BLOCK))


def filled(work: Work) -> Filled:
    """What forward and backward have in common."""
    q, k, v = dense(work.q), dense(work.k), dense(work.v)
    b, h, q_len, d = q.shape
    _, g, k_len, v_width = v.shape
    factor, schedule = factors(work), work.schedule
    kept, tiles = [factor], (0, 0, 0, 0)
    if schedule is not None:
        kept += (schedule.start, schedule.column, schedule.tile, schedule.t_bits.contiguous())
        tiles = (kept[1].data_ptr(), kept[2].data_ptr(), kept[3].data_ptr(), kept[4].data_ptr())
    rules = (1, 1) if schedule is None else (schedule.batch, schedule.heads)
    memory = bytearray(
        PROBLEM.pack(
            *(*place(q), *place(k), *place(v), *NOWHERE),
            *(0, 0, factor.data_ptr(), 0, 0, 0, 0, 0, *tiles, 0, 0, 0, 0, 0, 0, 0, 0, 0),
            *(0, 0, 0, 0, 0, b, h, g, q_len, k_len, d, v_width, 0, KINDS[q.dtype], *rules, 0, 0, 0, 0, torch.get_num_threads(), 1),
            *(work.seed & 0xFFFFFFFF, work.softcap or 0.0, work.dropout),
        )
    )
    real = torch.float64 if q.dtype == torch.float64 else torch.float32
    found = Filled(Problem.from_buffer(memory), memory, q, k, v, real, kept)
    terms(work, found)
    return found


def factors(work: Work) -> Float[Tensor, " h"]:
    """The factor of each head."""
    if isinstance(work.factor, Tensor):
        return work.factor.detach().double().expand(work.q.shape[1]).contiguous()
    return alike_heads(work.factor, work.q.shape[1])


@lru_cache(maxsize=256)
def alike_heads(factor: float, heads: int) -> Float[Tensor, " h"]:
    """One factor for all heads; read only."""
    with torch.inference_mode(False):
        return torch.full((heads,), factor, dtype=torch.float64)


def terms(work: Work, found: Filled) -> None:
    """What is added to the scores."""
    p = found.problem
    if work.sink_logits is not None:
        p.sinks = found.keep(work.sink_logits.detach().double().contiguous())
    if work.bias is not None:
        bias = work.bias.detach().to(found.real)
        p.bias = found.keep(bias)
        p.bias_b, p.bias_h, p.bias_q, p.bias_k = steps(bias)
    if work.relative is not None:
        line = reversed_line(work.relative, found.real)
        p.relative, p.relative_h = found.keep(line), line.shape[1] if line.shape[0] > 1 else 0


def steps(bias: Tensor) -> tuple[int, ...]:
    """The strides of the bias; 0 along an axis of one."""
    return tuple(0 if size == 1 else stride for size, stride in zip(bias.shape, bias.stride(), strict=True))
