"""The naive backend: every formula as it is written, with the whole matrix of weights. Right first, for all there is.

Half precision is computed in float32 and rounded once, at the end.
"""

from __future__ import annotations

import torch
from einops import rearrange, repeat
from jaxtyping import Float
from torch import Tensor

from heedful.attention.call import Call, Result
from heedful.attention.dropout import dropped
from heedful.attention.summary import summarise


def why_not(call: Call) -> str | None:
    """It serves every call."""
    return None


def run(call: Call) -> Result:
    """score x scale -> softcap -> + bias and position -> mask -> weighting -> dropout -> sum of the values."""
    scores = masked(call, capped(call, scored(call)))
    weights = weighed(call, scores)
    used = dropped(weights, call.dropout, call.seed) if call.dropout else weights
    out = call.score.finish(mixed(used, work(call.v)), work(call.q)).to(call.q.dtype)
    chosen = None if call.weights is None else call.weights.of(weights).to(call.q.dtype)
    lse = log_sum_exp(call, scores) if "lse" in call.summaries else None
    return Result(out, chosen, summarise(weights, lse, call.summaries) if call.summaries else None)


def work(x: Tensor) -> Tensor:
    """The tensor in at least float32."""
    return x if x.dtype in (torch.float32, torch.float64) else x.float()


def scored(call: Call) -> Float[Tensor, "b h q k"]:
    """The score of every pair, positions rotated in, times the scale, over the temperature."""
    q, k = work(call.q), work(call.k)
    if call.position is not None:
        at_q, at_k = call.places()
        q, k = call.position.rotate(q, at_q), call.position.rotate(k, at_k)
    scores: Tensor = call.score(q, k, call.factor())
    return scores


def capped(call: Call, scores: Float[Tensor, "b h q k"]) -> Float[Tensor, "b h q k"]:
    """c tanh(score / c): no score beyond ±c."""
    return scores if call.softcap is None else call.softcap * torch.tanh(scores / call.softcap)


def masked(call: Call, scores: Float[Tensor, "b h q k"]) -> Float[Tensor, "b h q k"]:
    """Biases added; -inf where attending is not allowed."""
    added = call.added()
    if added is not None:
        scores = scores + added.to(scores.dtype)
    if call.mask is None:
        return scores
    allowed = call.mask.dense(scores.shape[-2], scores.shape[-1], scores.device)
    return scores.masked_fill(~allowed, float("-inf"))


def weighed(call: Call, scores: Float[Tensor, "b h q k"]) -> Float[Tensor, "b h q k"]:
    """The weighting of each row; a sink logit is one more column that takes weight and gives no value."""
    if call.sink_logits is None:
        plain = call.mask is None and call.bias is None
        return call.weighting.unblocked(scores) if plain else call.weighting(scores)
    return call.weighting(with_sink(call.sink_logits, scores))[..., :-1]


def with_sink(sink_logits: Float[Tensor, " h"], scores: Float[Tensor, "b h q k"]) -> Float[Tensor, "b h q k1"]:
    """The scores and the sink's column; a row with no key keeps a closed sink too."""
    b, _, q, _ = scores.shape
    column = repeat(sink_logits.to(scores.dtype), "h -> b h q 1", b=b, q=q)
    shut = (scores == float("-inf")).all(-1, keepdim=True)
    return torch.cat([scores, column.masked_fill(shut, float("-inf"))], dim=-1)


def mixed(weights: Float[Tensor, "b h q k"], v: Float[Tensor, "b g k v"]) -> Float[Tensor, "b h q v"]:
    """The weighted sum Σ_j a_ij v_j; the values of a group are read by all its query heads and never copied."""
    grouped = rearrange(weights, "b (g r) q k -> b g (r q) k", g=v.shape[1])
    return rearrange(grouped @ v, "b g (r q) v -> b (g r) q v", r=weights.shape[1] // v.shape[1])


def log_sum_exp(call: Call, scores: Float[Tensor, "b h q k"]) -> Float[Tensor, "b h q"]:
    """log Σ exp(score) of each row, the sink's term included; -inf for a row with nothing to attend to."""
    return torch.logsumexp(scores if call.sink_logits is None else with_sink(call.sink_logits, scores), dim=-1)
