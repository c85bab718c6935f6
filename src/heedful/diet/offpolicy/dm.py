"""The direct method (Beygelzimer & Langford 2009): what a model of the rewards expects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from heedful.diet.offpolicy.logged import Log


@dataclass(frozen=True)
class DM:
    """The model's guess, averaged over what the policy would choose."""

    name = "dm"

    def __call__(self, log: Log) -> Float[np.ndarray, " n"]:
        """(n,) what each choice adds."""
        return log.direct
