"""Whether what is written looks at what was heard in its order: how many steps of the attention go forward."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.models.speech.listener import Heard, Listener


def forward_share(weights: Float[Tensor, "t s"]) -> float:
    """The share of steps whose weights lie, in the mean, further on than those of the step before; one of a single step.

    >>> forward_share(torch.eye(3))
    1.0
    >>> forward_share(torch.eye(3).flip(0))
    0.0
    """
    if len(weights) < 2:
        return 1.0
    centres = centre(weights)
    return float((centres[1:] > centres[:-1]).double().mean())


def centre(weights: Float[Tensor, "t s"]) -> Float[Tensor, " t"]:
    """The mean frame that each step looked at."""
    at = torch.arange(weights.shape[1], device=weights.device, dtype=torch.float64)
    return (weights.double() @ at) / weights.double().sum(1).clamp(min=1e-12)


@torch.inference_mode()
def aligned(model: Listener, heard: Heard, ids: Sequence[Sequence[int]]) -> list[Float[Tensor, "t s"]]:
    """Where each token of each text looked, the mark that ends it left out."""
    longest = max(map(len, ids))
    given: Int[Tensor, "b t"] = torch.full((len(ids), longest + 1), model.mark, device=heard.memory.device)
    for row, mine in enumerate(ids):
        given[row, 1 : len(mine) + 1] = torch.tensor(mine, dtype=torch.long)
    weights = model.speller(given, *heard, trace=True).alignment
    lengths = heard.lengths.tolist()
    return [weights[row, : len(mine), : lengths[row]].float().cpu() for row, mine in enumerate(ids)]


def forward_steps(model: Listener, heard: Heard, ids: Sequence[Sequence[int]]) -> list[float]:
    """The share of each text that goes forward, of those with two tokens or more."""
    return [forward_share(weights) for weights in aligned(model, heard, ids) if len(weights) > 1]
