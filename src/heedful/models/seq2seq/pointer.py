"""Copying by attention: a mixture of writing a token and of pointing at one of the source (See et al. 2017, arXiv 1704.04368, §2.2).

Pieces of bytes can say every text, so there is no vocabulary to extend: pointing adds to the chance of the token that stands there.
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

WRITES = 2.0  # the gate's logit at the start: 88 % writing


@final
class Pointer(nn.Module):
    """log(p softmax(logits) + (1 - p) Σ of the weights on places that hold the token), with p = σ(w · state + b).

    >>> import torch
    >>> pointer = Pointer(4)
    >>> logits, weights = torch.zeros(1, 1, 3), torch.tensor([[[1.0, 0.0]]])
    >>> out = pointer(torch.zeros(1, 1, 4), logits, weights, torch.tensor([[2, 0]]))
    >>> [round(p, 3) for p in out.exp().flatten().tolist()]
    [0.294, 0.294, 0.413]
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.gate = nn.Linear(dim, 1)
        nn.init.zeros_(self.gate.weight)
        nn.init.constant_(self.gate.bias, WRITES)

    def forward(
        self,
        states: Float[Tensor, "b t m"],
        logits: Float[Tensor, "b t v"],
        weights: Float[Tensor, "b t s"],
        source: Int[Tensor, "b s"],
    ) -> Float[Tensor, "b t v"]:
        """The logarithm of the mixture, in float32."""
        writes = torch.sigmoid(self.gate(states).float())
        written = logits.float().softmax(-1) * writes
        pointed = (1.0 - writes) * weights.float()
        places = source[:, None].expand(-1, logits.shape[1], -1)
        return written.scatter_add(2, places, pointed).clamp(min=1e-12).log()
