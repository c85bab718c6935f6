"""Work as the library's problem: pointers, strides, and what has to be laid out anew for it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.native.library import Problem, matrix
from heedful.attention.tiles.work import Work

KINDS = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2, torch.float16: 3}
BLOCK = 64


@dataclass(slots=True)
class Filled:
    """A problem, and the tensors that must live as long as it does."""

    problem: Problem
    q: Tensor
    k: Tensor
    v: Tensor
    real: torch.dtype
    kept: list[Tensor] = field(default_factory=list)

    def keep(self, x: Tensor) -> int:
        """The tensor's place in memory, which stays."""
        self.kept.append(x)
        return x.data_ptr()


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
    q, k, v = dense(work.q.detach()), dense(work.k.detach()), dense(work.v.detach())
    real = torch.float64 if q.dtype == torch.float64 else torch.float32
    p = Problem()
    found = Filled(p, q, k, v, real)
    p.q, p.k, p.v = matrix(q), matrix(k), matrix(v)
    p.b, p.h, p.q_len, p.d = q.shape
    p.g, p.k_len, p.v_width = k.shape[1], k.shape[2], v.shape[3]
    p.kind, p.threads, p.splits = KINDS[q.dtype], torch.get_num_threads(), 1
    p.mask_batch = p.mask_heads = 1
    p.factor = found.keep(factors(work))
    p.softcap, p.dropout, p.seed = work.softcap or 0.0, work.dropout, work.seed & 0xFFFFFFFF
    if work.sink_logits is not None:
        p.sinks = found.keep(work.sink_logits.detach().double().contiguous())
    terms(work, found)
    if work.schedule is not None:
        s = work.schedule
        p.start, p.column, p.tile, p.words = (found.keep(x) for x in (s.start, s.column, s.tile, s.t_bits.contiguous()))
        p.mask_batch, p.mask_heads = s.batch, s.heads
    return found


def factors(work: Work) -> Float[Tensor, " h"]:
    """The factor of each head."""
    if isinstance(work.factor, Tensor):
        return work.factor.detach().double().expand(work.q.shape[1]).contiguous()
    return torch.full((work.q.shape[1],), work.factor, dtype=torch.float64)


def terms(work: Work, found: Filled) -> None:
    """What is added to the scores."""
    p = found.problem
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
