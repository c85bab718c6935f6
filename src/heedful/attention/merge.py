"""Joining attention over parts of the keys: each part's output weighs as much as its share of the exponentials.

Online softmax: Milakov & Gimelshein 2018, arXiv 1805.02867; in blocks: Dao et al. 2022, arXiv 2205.14135, §3.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.errors import ShapeError


def merge(
    outs: Sequence[Float[Tensor, "b h q v"]], lses: Sequence[Float[Tensor, "b h q"]]
) -> tuple[Float[Tensor, "b h q v"], Float[Tensor, "b h q"]]:
    """Outputs (b, h, q, v) over disjoint sets of keys, with their log-sum-exps (b, h, q), as one output and one log-sum-exp.

    A part that attended to nothing has lse -inf and adds nothing; where all parts are such, the output is zero.
    Raises `ShapeError` where the parts do not match.

    >>> import torch, heedful
    >>> q, k, v = (torch.randn(1, 2, n, 8) for n in (3, 10, 10))
    >>> parts = [heedful.attend(q, k[:, :, s], v[:, :, s], summaries=("lse",)) for s in (slice(0, 4), slice(4, 10))]
    >>> out, lse = heedful.merge([o for o, _ in parts], [s.lse for _, s in parts])
    >>> torch.allclose(out, heedful.attend(q, k, v), atol=1e-6)
    True
    """
    if not len(outs) or len(outs) != len(lses):
        raise ShapeError(f"merge joins as many outputs as log-sum-exps: found {len(outs)} and {len(lses)}")
    for out, lse in zip(outs, lses, strict=True):
        if out.shape[:-1] != lse.shape or out.shape != outs[0].shape:
            raise ShapeError(
                f"merge joins equal shapes: found output {tuple(out.shape)}, lse {tuple(lse.shape)}, first output {tuple(outs[0].shape)}"
            )
    stacked = torch.stack(list(lses))
    top = stacked.detach().amax(0)
    shares = (stacked - top.masked_fill(top == float("-inf"), 0.0)).exp()
    total = shares.sum(0)
    safe = total.masked_fill(total == 0, 1.0)
    joined = sum((out * (share / safe).unsqueeze(-1) for out, share in zip(outs, shares, strict=True)), torch.zeros_like(outs[0]))
    empty = total == 0
    return joined.to(outs[0].dtype), (safe.log() + top.masked_fill(empty, 0.0)).masked_fill(empty, float("-inf"))
