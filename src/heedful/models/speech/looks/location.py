"""Also by where it looked before: filters over the weights of the step before stand beside each frame (Chorowski et al. 2015,
arXiv 1506.07503, equations 8 and 9). It may be kept from looking back (§2.3's window, with an end that is open).
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.attention.attend import attend
from heedful.attention.scores.additive import Additive
from heedful.layers.crossmodal import keys
from heedful.models.speech.looks.look import Look, Looked


@final
class Location(Look):
    """softmax(wᵀ tanh(W s + V h_t + U f_t)) with f = F * weights of the step before.

    V h + U f is one matrix over [h ; f], so the catalogue's additive score serves as it is. With `onward`, no frame is looked at that is
    not so many behind the one that the step before looked at the most (0: never back).

    >>> memory = torch.randn(2, 5, 6)
    >>> context, weights = Location(4, 6, 8, filters=3, reach=3)(torch.randn(2, 4), memory, torch.ones(2, 5) / 5)
    >>> context.shape, weights.shape
    (torch.Size([2, 6]), torch.Size([2, 5]))
    """

    def __init__(self, state: int, memory: int, units: int, filters: int, reach: int, onward: int | None = None) -> None:
        super().__init__()
        self.filters = nn.Conv1d(1, filters, reach, padding=reach // 2, bias=False)
        self.onward = onward
        self.score = Additive(state, memory + filters, units, heads=1)

    def forward(
        self,
        state: Float[Tensor, "b n"],
        memory: Float[Tensor, "b t m"],
        past: Float[Tensor, "b t"],
        real: Bool[Tensor, "b t"] | None = None,
    ) -> Looked:
        """What is read, and how."""
        real = real if self.onward is None else onwards(past, self.onward, real)
        where = self.filters(past[:, None]).transpose(1, 2)
        beside = torch.cat([memory, where], dim=-1)[:, None]
        out, weights = attend(state[:, None, None], beside, memory[:, None], score=self.score, mask=keys(real), return_weights=True)
        return out[:, 0, 0], weights[:, 0, 0]


def onwards(past: Float[Tensor, "b t"], least: int, real: Bool[Tensor, "b t"] | None) -> Bool[Tensor, "b t"]:
    """The frames at least so many behind the one that was looked at the most; at first, when that is the first of all, every one; none
    where none was left the step before.

    >>> onwards(torch.tensor([[0.1, 0.9, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]), 2, None).int().tolist()
    [[0, 0, 0, 1], [1, 1, 1, 1]]
    """
    most, peak = past.max(1, keepdim=True)
    place = torch.arange(past.shape[1], device=past.device)
    found = ((place >= peak + least) | (peak == 0)) & (most > 0)
    return found if real is None else found & real
