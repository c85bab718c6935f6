"""What a feature map is: φ, so that φ(q) · φ(k) is the kernel that linear attention weighs keys by."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn


class FeatureMap(nn.Module, ABC):
    """Queries or keys (b, n, t, d) -> features (b, n, t, f), none of them negative."""

    name: str

    @abstractmethod
    def width(self, d: int) -> int:
        """f, the number of features for heads of width d."""

    @abstractmethod
    def forward(self, x: Float[Tensor, "b n t d"]) -> Float[Tensor, "b n t f"]:
        """The features, in at least float32."""

    def queries(self, q: Float[Tensor, "b n t d"]) -> Float[Tensor, "b n t f"]:
        """The features of queries up to a positive factor a row, which dividing by the sum of the weights cancels."""
        features: Tensor = self(q)
        return features
