"""A feature map as a score, so that linear attention can be written, masked and looked at as a quadratic form."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from heedful.attention.linear.elu1 import Elu1
from heedful.attention.linear.feature_map import FeatureMap
from heedful.attention.scores.score import AsDot, Score, dot


class Kernel(Score):
    """scale · φ(q)·φ(k); with weighting="normalise" it is linear attention, under any mask.

    >>> import torch
    >>> from heedful.attention.attend import attend
    >>> from heedful.attention.linear.attention import linear_attention
    >>> q, k, v = torch.randn(3, 2, 4, 5, 8)
    >>> quadratic = attend(q, k, v, score=Kernel(), weighting="normalise")
    >>> torch.allclose(quadratic, linear_attention(q, k, v), atol=1e-6)
    True

    Args:
        feature_map: φ.

    Source: Katharopoulos et al. 2020, 2006.16236, eq. 3.
    """

    name = "kernel"
    pairwise = True

    def __init__(self, feature_map: FeatureMap | None = None) -> None:
        super().__init__()
        self.feature_map = Elu1() if feature_map is None else feature_map

    def forward(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """The kernel of every query and key."""
        return (scale * dot(self.feature_map(q), self.feature_map(k))).to(q.dtype)

    def as_dot(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> AsDot | None:
        """The features as queries and keys."""
        return AsDot(self.feature_map(q).to(q.dtype), self.feature_map(k).to(k.dtype))
