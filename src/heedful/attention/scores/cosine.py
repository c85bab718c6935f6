"""Cosine: q · k / (‖q‖ ‖k‖) (Graves et al. 2014, arXiv 1410.5401, eq. 6; learnable temperature: Liu et al. 2022, arXiv 2111.09883)."""

from __future__ import annotations

import math
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import normalize

from heedful.attention.scores.score import AsDot, Score, dot
from heedful.errors import UsageError


@final
class Cosine(Score):
    """The cosine of the angle between query and key, in [-1, 1], times a scale.

    `learnable=True` gives each of `heads` heads a factor of its own, exp(t), which starts at 10 and is held at 100 or
    less, as in Swin V2. A zero vector has cosine 0 with everything.

    >>> import torch
    >>> Cosine()(torch.tensor([[[[3.0, 0.0]]]]), torch.tensor([[[[5.0, 0.0], [0.0, 2.0]]]]), scale=1.0).tolist()
    [[[[1.0, 0.0]]]]
    """

    name = "cosine"
    pairwise = True
    is_dot = True

    def __init__(self, learnable: bool = False, heads: int | None = None) -> None:
        super().__init__()
        if heads is not None and not learnable:
            raise UsageError(
                "Cosine(heads=...) sizes the learnable factor: found learnable=False; Cosine(learnable=True, heads=h) would work"
            )
        self.log_scale = nn.Parameter(torch.full((heads or 1, 1, 1), math.log(10.0))) if learnable else None

    def forward(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """Scores (b, h, q, k)."""
        at = self.as_dot(q, k)
        return dot(at.q * scale, at.k)

    def as_dot(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> AsDot:
        """Both sides brought to length one; the learnable factor rides on the query."""
        q = normalize(q, dim=-1)
        if self.log_scale is not None:
            q = q * self.log_scale.clamp(max=math.log(100.0)).exp().to(q.dtype)
        return AsDot(q, normalize(k, dim=-1))
