"""Key norm: keys of low norm draw attention, and stay (Devoto et al. 2024, arXiv 2406.11430)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.manage.options.eviction import Eviction
from heedful.manage.seen import Seen


@final
@dataclass(frozen=True)
class KeyNorm(Eviction):
    """The `size` keys of the lowest Euclidean norm stay; no attention has to be known.

    >>> KeyNorm(512).name, KeyNorm(512).kept(8192)
    ('keynorm(512)', 512)
    """

    word = "keynorm"

    def ranks(self, seen: Seen, length: int) -> Float[Tensor, "b g k"]:
        """The lower the norm the better."""
        norms: Tensor = torch.linalg.vector_norm(seen.k[:, :, :length].float(), dim=-1)
        return -norms
