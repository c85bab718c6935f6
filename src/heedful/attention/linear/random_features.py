"""Positive random features: softmax attention estimated without bias (Choromanski et al. 2020, 2009.14794, FAVOR+)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.linear.feature_map import FeatureMap
from heedful.errors import ShapeError, UsageError


class RandomFeatures(FeatureMap):
    """φ(x) = exp(w · x - |x|²/2) / √f over f random directions w, x being the head times d^(-1/4).

    φ(q) · φ(k) is exp(q · k / √d) in the mean, and nearer to it with more features. The estimate is good for queries and
    keys of moderate length: from |k|² / √d of about 150 its features vanish in float32, so normalise such heads first.

    >>> import torch
    >>> RandomFeatures(d=16, features=64, seed=0)(torch.randn(2, 4, 10, 16)).shape
    torch.Size([2, 4, 10, 64])

    Args:
        d: width of a head.
        features: f, the number of random directions.
        seed: which directions; they are saved with the model.
        orthogonal: directions at right angles within each block of d, which lowers the error.

    Raises:
        UsageError: `features` is under one.
        ShapeError: x has another width than d.
    """

    name = "random_features"
    directions: Tensor

    def __init__(self, d: int, features: int = 256, seed: int = 0, orthogonal: bool = True) -> None:
        super().__init__()
        if features < 1:
            raise UsageError(f"RandomFeatures was asked for {features} features: 1 or more would work, 256 is usual")
        self.d, self.features, self.seed, self.orthogonal = d, features, seed, orthogonal
        generator = torch.Generator().manual_seed(seed)
        drawn = orthogonal_directions(d, features, generator) if orthogonal else torch.randn(features, d, generator=generator)
        self.register_buffer("directions", drawn)

    def width(self, d: int) -> int:
        """The number of random directions, whatever the head's width."""
        return self.features

    def forward(self, x: Float[Tensor, "b n t d"]) -> Float[Tensor, "b n t f"]:
        """The features, in at least float32."""
        return torch.exp(self._exponents(x) - 0.5 * math.log(self.features))

    def queries(self, q: Float[Tensor, "b n t d"]) -> Float[Tensor, "b n t f"]:
        """The features of queries with the largest of each row made 1, so that none overflows or all vanish."""
        exponents = self._exponents(q)
        return torch.exp(exponents - exponents.detach().amax(dim=-1, keepdim=True))

    def _exponents(self, x: Float[Tensor, "b n t d"]) -> Float[Tensor, "b n t f"]:
        if x.shape[-1] != self.d:
            raise ShapeError(f"RandomFeatures(d={self.d}) was given heads of width {x.shape[-1]}: build it with d={x.shape[-1]}")
        x = x.to(torch.promote_types(x.dtype, torch.float32)) * self.d**-0.25
        with torch.autocast(x.device.type, enabled=False):  # an exponent rounded to half precision is a factor gone wrong
            return x @ self.directions.to(x.dtype).mT - x.square().sum(dim=-1, keepdim=True) / 2

    def extra_repr(self) -> str:
        """What tells one from another."""
        return f"d={self.d}, features={self.features}, seed={self.seed}, orthogonal={self.orthogonal}"


def orthogonal_directions(d: int, features: int, generator: torch.Generator) -> Float[Tensor, "f d"]:
    """Blocks of d directions at right angles, uniform on the sphere, each as long as an independent Gaussian vector."""
    blocks = [_rotation(d, generator) for _ in range(math.ceil(features / d))]
    lengths: Tensor = torch.linalg.vector_norm(torch.randn(features, d, generator=generator), dim=-1, keepdim=True)
    return torch.cat(blocks)[:features] * lengths


def _rotation(d: int, generator: torch.Generator) -> Float[Tensor, "d d"]:
    # Without the signs of R the first direction would always point to one side, and the estimate would be biased.
    q, r = torch.linalg.qr(torch.randn(d, d, generator=generator))
    rotation: Tensor = (q * r.diagonal().sign()).mT
    return rotation
