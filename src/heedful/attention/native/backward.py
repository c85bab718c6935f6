"""The engine backward."""

from __future__ import annotations

import torch
from torch import Tensor

from heedful.attention.native.fill import BLOCK, Filled, alike, dense, filled, steps
from heedful.attention.native.library import call
from heedful.attention.tiles.backward import backward as by_tiles
from heedful.attention.tiles.work import Given, Gradients, Work


def backward(work: Work, given: Given) -> Gradients:
    """The gradients of the tensors that `given` needs."""
    if "factor" in given.needs and isinstance(work.factor, Tensor) and not work.factor.all():
        return by_tiles(work, given)  # a factor of 0 leaves no trace in the gradient of q
    f = filled(work)
    p = f.problem
    out, d_out = dense(given.out.detach()), dense(given.d_out.detach())
    f.kept += [out, d_out]
    dq, dk, dv = side_by_side(f.q, f.k, f.v)
    for name, x in (("out", out), ("dout", d_out), ("dq", dq), ("dk", dk), ("dv", dv)):
        f.put(name, x)
    p.lse = f.keep(given.lse.detach().contiguous())
    if given.d_lse is not None:
        p.dlse = f.keep(given.d_lse.detach().to(f.real).contiguous())
    p.splits = splits(p.b * p.g, p.threads)
    line = by_distance(f, given)
    d_bias = by_pair(work, f, given)
    call("heedful_backward", p)
    found = Gradients(q=dq, k=dk, v=dv)
    if d_bias is not None and work.bias is not None:
        found.bias = d_bias.to(work.bias.dtype)
    if line is not None and work.relative is not None:
        found.relative = summed_line(line, work.relative)
    if "factor" in given.needs and isinstance(work.factor, Tensor):
        found.factor = of_factor(work, f.q, dq)
    if "sink_logits" in given.needs and work.sink_logits is not None:
        found.sink_logits = of_sinks(work.sink_logits, given)
    return found


def side_by_side(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Places for the gradients, each laid out as the tensor is: parts of one tensor where the three are, so that none is copied."""
    b, h, n, d = q.shape
    both, step = k.shape[1] * d * q.element_size(), q.stride(2)
    apart = (b * n) < 2 or step != (h + 2 * k.shape[1]) * d or not q.stride() == k.stride() == v.stride() == (n * step, d, step, 1)
    at = q.data_ptr() + h * d * q.element_size()
    if apart or k.shape[2:] != q.shape[2:] or v.shape != k.shape or (k.data_ptr(), v.data_ptr()) != (at, at + both):
        return alike(q, d), alike(k, k.shape[3]), alike(v, v.shape[3])
    whole = q.new_empty(b, n, h + 2 * k.shape[1], d)
    dq, dk, dv = whole.split_with_sizes([h, k.shape[1], k.shape[1]], dim=2)
    return dq.transpose(1, 2), dk.transpose(1, 2), dv.transpose(1, 2)


def splits(heads: int, threads: int) -> int:
    """Into how many parts each key/value head's work is cut, so that no thread waits long for another."""
    return 1 if heads % threads == 0 or heads >= 4 * threads else threads


def by_distance(f: Filled, given: Given) -> Tensor | None:
    """A place for the gradient of the relative bias, one for each part of the work."""
    p = f.problem
    if "relative" not in given.needs or not p.relative:
        return None
    line = given.lse.new_zeros(p.splits, p.b, p.h, p.q_len + p.k_len - 1 + BLOCK)
    p.drelative = f.keep(line)
    return line


def summed_line(line: Tensor, relative: Tensor) -> Tensor:
    """The parts' sum by key less query, in the shape of the relative bias."""
    whole = line.sum((0, 1))[:, : relative.shape[1]].flip(-1)
    return (whole if relative.shape[0] > 1 else whole.sum(0, keepdim=True)).to(relative.dtype)


def by_pair(work: Work, f: Filled, given: Given) -> Tensor | None:
    """A place for the gradient of the bias, with the bias's strides."""
    if "bias" not in given.needs or work.bias is None:
        return None
    d_bias = torch.zeros(work.bias.shape, dtype=f.real)
    bias = work.bias.detach().to(f.real).contiguous()
    f.problem.bias, f.problem.dbias = f.keep(bias), f.keep(d_bias)
    f.problem.bias_b, f.problem.bias_h, f.problem.bias_q, f.problem.bias_k = steps(d_bias)
    return d_bias


def of_factor(work: Work, q: Tensor, dq: Tensor) -> Tensor:
    """Σ q · dq over the factor: the gradient of q holds it once."""
    assert isinstance(work.factor, Tensor)
    total = (q.double() * dq.double()).sum((0, 2, 3)) / work.factor.double()
    return total.sum_to_size(work.factor.shape).to(work.factor.dtype)


def of_sinks(sinks: Tensor, given: Given) -> Tensor:
    """The sink takes exp(sink - lse) of the weight and gives nothing."""
    less = (given.out.to(given.lse.dtype) * given.d_out).sum(-1)
    if given.d_lse is not None:
        less = less - given.d_lse
    share = (sinks.detach().to(given.lse.dtype)[:, None] - given.lse).exp().masked_fill(given.lse == float("-inf"), 0.0)
    return -(share * less).sum((0, 2)).to(sinks.dtype)
