"""Dropped mass: the share of the weight that falls on keys the option takes away, exactly, from two log-sum-exps."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from heedful.manage.trials import Trial


def sums(trial: Trial) -> Float[Tensor, " h"]:
    """Sum over places of 1 - exp(lse_k - lse)."""
    return trial.dropped.sum((0, 2))
