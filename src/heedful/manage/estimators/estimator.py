"""What an estimator is: from one option tried at one site to a number for each head."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from heedful.manage.trials import Trial


@dataclass(frozen=True, slots=True)
class Estimator:
    """`sums` gives, for each head, a sum over the places of a batch; a profile adds those up and divides by the counted tokens.

    `formula` with t for the place, k for the option; `unit` says what the quotient is.
    """

    name: str
    formula: str
    unit: str
    source: str
    sums: Callable[[Trial], Float[Tensor, " h"]]
