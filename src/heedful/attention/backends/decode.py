"""One or few queries against many keys: what a step of generation asks.

Only the keys that the mask leaves are read: slices of the cache for causal, window and sinks, without a table or a copy; the query
heads that share a key head are folded into rows of one product (Shazeer 2019, arXiv 1911.02150, §2.4, for what a step is bound by:
reading the keys).
"""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from heedful.attention.backends import naive, sdpa, step
from heedful.attention.backends.slab import Slab, placed, slab_of
from heedful.attention.call import Call, Result
from heedful.attention.summary import summarise

FEW = 8
HALVES = (torch.bfloat16, torch.float16)


def why_not(call: Call) -> str | None:
    """Few queries, scores of a pair alone, nothing dropped."""
    if torch.compiler.is_exporting():
        return "how many queries there are is not known while exporting"
    if call.q.shape[2] > FEW:
        return f"it serves {FEW} queries or fewer: there are {call.q.shape[2]}"
    if not call.score.pairwise:
        return f"the score {call.score.name} looks at places, and keys that the mask shuts are left out"
    if call.dropout:
        return "it drops nothing: steps of generation do not"
    return None


def run(call: Call) -> Result:
    """The call over the keys that the mask leaves: by the library where it can, else by torch's operations."""
    quick = step.why_not(call) is None
    ranges = step.ranges_of(call) if quick else None
    if ranges is not None:
        return step.over(call, ranges)
    slab = slab_of(call)
    result = step.over_slab(call, slab) if quick else None
    return by_torch(call, slab) if result is None else result


def by_torch(call: Call, slab: Slab) -> Result:
    """In products alone where that is all there is to it, else as the formula says."""
    if sdpa.why_not(call) is not None:
        return written(call, slab)
    if len(slab.places) == 1 or call.q.dtype in HALVES:
        return Result(fused(call, slab))
    return Result(apart(call, slab)) if slab.allowed is None and not adds(call) else written(call, slab)


def fused(call: Call, slab: Slab) -> Float[Tensor, "b h q v"]:
    """torch's kernel; keys of half precision that stand apart are copied together, which costs less than to reckon in float32."""
    q, keys, added = placed(call, slab, call.q, call.k)
    heads = groups(call)
    rows, k, scale = dots(call, q, keys[0] if len(keys) == 1 else torch.cat(keys, dim=2), heads)
    values = slab.of(call.v)
    v = values[0] if len(values) == 1 else torch.cat(values, dim=2)
    table = folded(sdpa.combined(slab.allowed, added, rows.dtype), q.shape[1], heads, q.shape[2])
    return unfolded(scaled_dot_product_attention(rows, k, v, attn_mask=table, scale=scale, enable_gqa=heads != k.shape[1]), q)


def groups(call: Call) -> int:
    """How many heads the kernel is given: one for each key head, whose query heads are rows beside each other, as long as every
    thread of the CPU has a head then."""
    b, h, _, _ = call.sizes
    g = call.k.shape[1]
    if h == g or call.q.is_cuda or torch.compiler.is_compiling():
        return h
    return next(heads for heads in range(g, h + 1, g) if h % heads == 0 and (heads == h or b * heads >= torch.get_num_threads()))


def apart(call: Call, slab: Slab) -> Float[Tensor, "b h q v"]:
    """Scores of keys that stand apart side by side in one softmax, nothing of them copied."""
    q, keys, _ = placed(call, slab, call.q, call.k)
    scores = []
    for part in keys:
        rows, k, scale = dots(call, q, part, part.shape[1])
        scores.append(rows @ k.transpose(-1, -2) * scale)
    weights = torch.softmax(torch.cat(scores, dim=-1), dim=-1)
    shares = weights.split_with_sizes([k.shape[2] for k in keys], dim=-1)
    parts = [share @ v for share, v in zip(shares, slab.of(call.v), strict=True)]
    return unfolded(sum(parts[1:], parts[0]), q)


def dots(call: Call, q: Tensor, k: Tensor, heads: int) -> tuple[Float[Tensor, "b s rq d"], Float[Tensor, "b g n d"], float]:
    """Queries, folded into that many heads, and keys whose product, times the number, is the score."""
    at = call.score.as_dot(q, k)
    assert at is not None  # and it has no bias: a pairwise score
    factor = call.factor()
    query, scale = (at.q * factor.to(at.q.dtype), 1.0) if isinstance(factor, Tensor) else (at.q, factor)
    b, h, _, d = query.shape
    return query if h == heads else query.reshape(b, heads, -1, d), at.k, scale  # an einops move takes as long as a short step


def unfolded(out: Float[Tensor, "b s rq v"], q: Float[Tensor, "b h q d"]) -> Float[Tensor, "b h q v"]:
    """The rows as query heads again."""
    return out if out.shape[1] == q.shape[1] else out.reshape(*q.shape[:3], out.shape[-1])


def written(call: Call, slab: Slab) -> Result:
    """naive's formula over the slab, in at least float32: any score, weighting, weights and summaries."""
    q, keys, added = placed(call, slab, naive.work(call.q), naive.work(call.k))
    parts: list[Tensor] = [call.score(q, k, call.factor()) for k in keys]
    scores = naive.capped(call, parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1))
    scores = scores if added is None else scores + added.to(scores.dtype)
    scores = scores if slab.allowed is None else scores.masked_fill(~slab.allowed, float("-inf"))
    weights = naive.weighed(call, scores)
    shares = weights.split_with_sizes([k.shape[2] for k in keys], dim=-1)
    mixed = [naive.mixed(share, naive.work(v)) for share, v in zip(shares, slab.of(call.v), strict=True)]
    out = sum(mixed[1:], mixed[0]).to(call.q.dtype)
    if call.weights is None and not call.summaries:
        return Result(out)
    whole = slab.spread(weights, call.k.shape[2])
    chosen = None if call.weights is None else call.weights.of(whole).to(call.q.dtype)
    lse = naive.log_sum_exp(call, scores) if "lse" in call.summaries else None
    return Result(out, chosen, summarise(whole, lse, call.summaries) if call.summaries else None)


def adds(call: Call) -> bool:
    """Whether anything is added to the scores."""
    return call.bias is not None or (call.position is not None and call.position.adds_bias)


def folded(table: Bool[Tensor, "..."] | Float[Tensor, "..."] | None, h: int, g: int, q: int) -> Tensor | None:
    """A table (b, h, q, n), or one that broadcasts to it, for heads that share keys as rows: (b, g, h / g · q, n)."""
    if table is None:
        return None
    table = table.reshape((1,) * (4 - table.ndim) + table.shape)
    if table.shape[1] == 1 and table.shape[2] == 1:
        return table
    return rearrange(table.expand(-1, h, q, -1), "b (g r) q n -> b g (r q) n", g=g)
