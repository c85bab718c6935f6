"""Never back: from where it stood it goes on frame by frame and stops at one (Raffel et al. 2017, arXiv 1704.00784, §2.3-2.4).

While learning, the weights are the chances of stopping at each frame; in use it stops at the first where stopping is likelier than not.
"""

from __future__ import annotations

from typing import Final, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import pad

from heedful.models.speech.looks.look import Look, Looked

START: Final = -1.0  # the bias of the energies: at first it goes on rather than stops
NOISE: Final = 1.0  # spread of what is added to them while learning, so that chances become sure (§2.4)
LEAST: Final = 1e-6


@final
class Monotonic(Look):
    """α_j = p_j Σ_k≤j past_k Π_k≤l<j (1 - p_l), with p = σ(g vᵀ tanh(W s + V h + b) / ‖v‖ + r).

    >>> look = Monotonic(4, 6, 8).eval()
    >>> past = torch.tensor([[0.0, 0.0, 1.0, 0.0]])
    >>> float(look(torch.randn(1, 4), torch.randn(1, 4, 6), past)[1][:, :2].sum())
    0.0
    """

    def __init__(self, state: int, memory: int, units: int) -> None:
        super().__init__()
        self.query, self.key = nn.Linear(state, units), nn.Linear(memory, units, bias=False)
        self.direction = nn.Parameter(torch.randn(units) * units**-0.5)
        self.length = nn.Parameter(torch.tensor(units**-0.5))
        self.offset = nn.Parameter(torch.tensor(START))

    def forward(
        self,
        state: Float[Tensor, "b n"],
        memory: Float[Tensor, "b t m"],
        past: Float[Tensor, "b t"],
        real: Bool[Tensor, "b t"] | None = None,
    ) -> Looked:
        """What is read, and how."""
        units = torch.tanh(self.query(state)[:, None] + self.key(memory))
        energies = units @ (self.length * self.direction / self.direction.norm()) + self.offset
        if self.training:
            weights = chances(among(torch.sigmoid(energies + NOISE * torch.randn_like(energies)), real), past)
        else:
            weights = first_stop(among((energies > 0).to(memory.dtype), real), past)
        return (weights[:, None] @ memory)[:, 0], weights


def among(stops: Float[Tensor, "b t"], real: Bool[Tensor, "b t"] | None) -> Float[Tensor, "b t"]:
    """Nothing where there is padding."""
    return stops if real is None else stops * real


def chances(stops: Float[Tensor, "b t"], past: Float[Tensor, "b t"]) -> Float[Tensor, "b t"]:
    """The chance of stopping at each frame, having stopped before as `past` says (equation 15).

    >>> chances(torch.tensor([[0.5, 0.5, 1.0]]), torch.tensor([[1.0, 0.0, 0.0]]))
    tensor([[0.5000, 0.2500, 0.2500]])
    """
    # Products of (1 - p) over all frames before, in logarithms: a plain product underflows over long recordings.
    passed = pad(torch.log1p(-stops.clamp(max=1.0 - LEAST)).cumsum(1)[:, :-1], (1, 0))
    came = torch.logcumsumexp(past.clamp(min=1e-30).log() - passed, dim=1) + passed
    return stops * came.exp()


def first_stop(stops: Float[Tensor, "b t"], past: Float[Tensor, "b t"]) -> Float[Tensor, "b t"]:
    """One on the first frame from where `past` stood that stops; nothing if none does."""
    stood = past.argmax(1, keepdim=True)
    lost = past.amax(1, keepdim=True) == 0  # it ran past the end before, and stays there
    may = stops * (torch.arange(stops.shape[1], device=stops.device) >= stood) * ~lost
    return may * (may.cumsum(1) == 1)
