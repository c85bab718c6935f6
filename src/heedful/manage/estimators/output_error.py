"""Output error: how far the head's output moves, whatever the loss makes of it."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from heedful.manage.trials import Trial


def sums(trial: Trial) -> Float[Tensor, " h"]:
    """Sum over places of |delta_t|^2."""
    return trial.delta.square().sum((0, 2, 3))
