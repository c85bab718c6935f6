"""How the next token is chosen from the model's logits.

Order: repetition penalty (Keskar et al. 2019, CTRL), temperature, top-k (Fan et al. 2018), top-p (Holtzman et al. 2020,
the nucleus), min-p (Nguyen et al. 2024), then one draw. Temperature 0 takes the likeliest token.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from heedful.spec.generation import Sampling


def draw(
    logits: Float[Tensor, "b v"], seen: Int[Tensor, "b t"], sampling: Sampling, generator: Generator | None = None
) -> Int[Tensor, " b"]:
    """One token a row from the last position's logits; `seen` are the tokens a repetition penalty looks back on.

    >>> import torch
    >>> draw(torch.tensor([[0.0, 3.0, 1.0]]), torch.zeros(1, 0, dtype=torch.long), Sampling(temperature=0.0))
    tensor([1])
    """
    logits = penalise(logits.float(), seen, sampling.repetition_penalty)
    if sampling.temperature == 0.0:
        return logits.argmax(dim=-1)
    weights = narrow(logits / sampling.temperature, sampling).softmax(dim=-1)
    return torch.multinomial(weights, 1, generator=generator).squeeze(1)


def narrow(logits: Float[Tensor, "b v"], sampling: Sampling) -> Float[Tensor, "b v"]:
    """The logits with every token that top-k, top-p and min-p rule out at -inf; the likeliest always stays."""
    if 0 < sampling.top_k < logits.shape[-1]:
        least = logits.topk(sampling.top_k, dim=-1).values[:, -1:]
        logits = logits.masked_fill(logits < least, float("-inf"))
    if sampling.top_p < 1.0:
        logits = nucleus(logits, sampling.top_p)
    if sampling.min_p > 0.0:
        share = logits.softmax(dim=-1)
        logits = logits.masked_fill(share < sampling.min_p * share.amax(dim=-1, keepdim=True), float("-inf"))
    return logits


def nucleus(logits: Float[Tensor, "b v"], top_p: float) -> Float[Tensor, "b v"]:
    """Keep the smallest set of likeliest tokens whose shares reach `top_p`."""
    ordered, index = logits.sort(dim=-1, descending=True)
    share = ordered.softmax(dim=-1)
    outside = share.cumsum(dim=-1) - share >= top_p
    return logits.masked_fill(torch.zeros_like(outside).scatter(1, index, outside), float("-inf"))


def penalise(logits: Float[Tensor, "b v"], seen: Int[Tensor, "b t"], penalty: float) -> Float[Tensor, "b v"]:
    """Tokens already seen made less likely: positive logits divided by `penalty`, negative ones multiplied."""
    if penalty == 1.0 or seen.shape[1] == 0:
        return logits
    score = logits.gather(1, seen)
    return logits.scatter(1, seen, torch.where(score > 0, score / penalty, score * penalty))
