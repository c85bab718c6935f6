"""Fisher: the second-order loss of a change at the head's output, by the empirical Fisher information of the loss.

The KL of a model to itself after a small change delta is delta' F delta / 2, with F the expectation of g g' (Amari 1998,
"Natural gradient works efficiently in learning"; as a measure of importance LeCun et al. 1989 and Theis et al. 2018,
arXiv 1801.05787). Here g is the gradient at the true label, taken at the output of one head.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from heedful.manage.sample import wide
from heedful.manage.trials import Trial


def sums(trial: Trial) -> Float[Tensor, " h"]:
    """1/2 sum over places of (g_t . delta_t)^2."""
    return 0.5 * change(trial).square().sum((0, 2))


def change(trial: Trial) -> Float[Tensor, "b h n"]:
    """g_t . delta_t at each place; where a sequence has one loss, their sum, since that is its change."""
    at_places = (wide(trial.given.g) * trial.delta).sum(-1)
    return at_places.sum(-1, keepdim=True) if trial.given.together else at_places
