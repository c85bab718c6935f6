"""What weights say about themselves: how spread they are, how far they reach, how far apart two of them are."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def entropy(weights: Float[Tensor, "h q k"]) -> float:
    """Nats a query, over the shares of each row; rows that read nothing are left out."""
    mass = weights.sum(-1)
    shares = weights / mass.clamp(min=torch.finfo(weights.dtype).tiny).unsqueeze(-1)
    return mean(torch.special.entr(shares).sum(-1), mass)


def distance(weights: Float[Tensor, "h q k"]) -> float:
    """Tokens between a query and what it reads, on average; the last query stands at the last key."""
    q_len, k_len = weights.shape[-2:]
    far = ((torch.arange(q_len) + k_len - q_len)[:, None] - torch.arange(k_len)).abs()
    mass = weights.sum(-1)
    return mean((weights * far).sum(-1) / mass.clamp(min=torch.finfo(weights.dtype).tiny), mass)


def away(weights: Float[Tensor, "h q k"], reference: Float[Tensor, "h q k"]) -> float:
    """Half the sum of |A - A'| of a query, on average: the total variation distance where rows sum to one.

    >>> away(torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.25, 0.75]]]))
    0.75
    """
    return float((weights - reference).abs().sum(-1).mean() / 2)


def mean(of_rows: Float[Tensor, "h q"], mass: Float[Tensor, "h q"]) -> float:
    """The mean over the rows that have any mass; 0 where none has."""
    real = mass > 0
    return float(of_rows[real].mean()) if bool(real.any()) else 0.0
