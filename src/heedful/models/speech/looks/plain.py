"""By content alone: an additive score of the state and each frame (Bahdanau et al. 2015, arXiv 1409.0473, §A.1.2)."""

from __future__ import annotations

from typing import final

from jaxtyping import Bool, Float
from torch import Tensor

from heedful.layers.recurrent.reader import Reader
from heedful.models.speech.looks.look import Look, Looked


@final
class Plain(Look):
    """softmax(wᵀ tanh(W s + V h_t)).

    >>> import torch
    >>> memory = torch.randn(2, 5, 6)
    >>> context, weights = Plain(4, 6, 8)(torch.randn(2, 4), memory, torch.zeros(2, 5))
    >>> context.shape, weights.shape
    (torch.Size([2, 6]), torch.Size([2, 5]))
    """

    def __init__(self, state: int, memory: int, units: int) -> None:
        super().__init__()
        self.reader = Reader(state, memory, "additive", units)

    def forward(
        self,
        state: Float[Tensor, "b n"],
        memory: Float[Tensor, "b t m"],
        past: Float[Tensor, "b t"],
        real: Bool[Tensor, "b t"] | None = None,
    ) -> Looked:
        """What is read, and how."""
        context, weights = self.reader(state[:, None], memory, real)
        return context[:, 0], weights[:, 0]
