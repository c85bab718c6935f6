"""Michel: the gradient of the loss by a factor on the head (Michel et al. 2019, arXiv 1905.10650, equation 2).

The paper prunes whole heads by E |o . dL/do|, an expectation over examples. Here it is one over places, and an option that
takes a share of a head's weight away is charged that share. No norm over a layer: heads of different layers compete.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from heedful.manage.sample import wide
from heedful.manage.trials import Trial


def sums(trial: Trial) -> Float[Tensor, " h"]:
    """Sum over places of |g_t . o_t| times the dropped share."""
    slope = (wide(trial.given.g) * wide(trial.given.out)).sum(-1).abs()
    return (slope * trial.dropped).sum((0, 2))
