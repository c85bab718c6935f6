"""What a look is: a state, what was heard, and the weights of the step before, to the weights of this one."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

Looked = tuple[Float[Tensor, "b m"], Float[Tensor, "b t"]]


class Look(nn.Module, ABC):
    """Reads a memory (b, t, m) with a state (b, n): context (b, m) and weights (b, t)."""

    @abstractmethod
    def forward(
        self,
        state: Float[Tensor, "b n"],
        memory: Float[Tensor, "b t m"],
        past: Float[Tensor, "b t"],
        real: Bool[Tensor, "b t"] | None = None,
    ) -> Looked:
        """What is read, and how; `past` are the weights of the step before, `real` says which frames are not padding."""


def beginning(memory: Float[Tensor, "b t m"]) -> Float[Tensor, "b t"]:
    """The weights before the first step: all on the first frame (Raffel et al. 2017, equation 9)."""
    first = torch.zeros(memory.shape[:2], dtype=memory.dtype, device=memory.device)
    first[:, 0] = 1.0
    return first
