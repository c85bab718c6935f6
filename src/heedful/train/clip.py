"""A bound on the norm of the gradient (Pascanu et al. 2013, arXiv 1211.5063, algorithm 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.train.track import alone

if TYPE_CHECKING:
    from accelerate import Accelerator


def clip(accelerator: Accelerator, optimisers: Sequence[torch.optim.Optimizer], parameters: Sequence[nn.Parameter], bound: float) -> None:
    """Keep the norm of all gradients within `bound` for the step that follows.

    A lone fused AdamW divides by the excess inside its own pass over the gradients, which saves one; gradients in shards,
    scaled losses and other optimisers go accelerate's way.
    """
    if alone(accelerator) and len(optimisers) == 1 and fused(optimisers[0]):
        optimisers[0].grad_scale = excess(parameters, bound)  # type: ignore[attr-defined]
    else:
        accelerator.clip_grad_norm_(parameters, bound)


def fused(optimiser: torch.optim.Optimizer) -> bool:
    """Whether it is an AdamW whose kernel takes a divisor of the gradient."""
    return isinstance(optimiser, torch.optim.AdamW) and bool(optimiser.defaults["fused"])


def excess(parameters: Sequence[nn.Parameter], bound: float) -> Float[Tensor, ""]:
    """How many times the bound the norm is; 1 within it."""
    norm = nn.utils.get_total_norm([weight.grad for weight in parameters if weight.grad is not None])
    return (norm / bound).clamp(min=1.0)
