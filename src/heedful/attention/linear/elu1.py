"""elu(x) + 1, the feature map of the first linear transformer (Katharopoulos et al. 2020, 2006.16236, eq. 7)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.linear.feature_map import FeatureMap


class Elu1(FeatureMap):
    """φ(x) = x + 1 where x > 0, exp(x) elsewhere: above zero everywhere, as wide as the head.

    >>> import torch
    >>> Elu1()(torch.tensor([[[[-1.0, 0.0, 2.0]]]]))
    tensor([[[[0.3679, 1.0000, 3.0000]]]])
    """

    name = "elu1"

    def width(self, d: int) -> int:
        """As many features as the head is wide."""
        return d

    def forward(self, x: Float[Tensor, "b n t d"]) -> Float[Tensor, "b n t d"]:
        """The features, in at least float32."""
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        # exp and not elu + 1, which would cancel to zero from x = -17 down. A sum, where a choice of two would be twice as slow.
        return x.clamp(max=0.0).exp() + x.relu()
