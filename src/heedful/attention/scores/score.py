"""What a score is: how well each query matches each key, before any mask or weighting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn


class AsDot(NamedTuple):
    """A score written as `scale * q @ k.T + bias`, so that any fused dot-product kernel can compute it.

    `bias` broadcasts to (b, h, q, k). It belongs to the score: a softcap closes over it too. `relative` is a bias by
    distance, that of query i and key j at j - i + q_len - 1; only `as_relative_dot` gives it.
    """

    q: Float[Tensor, "b h q d"]
    k: Float[Tensor, "b g k d"]
    bias: Float[Tensor, "..."] | None = None
    relative: Float[Tensor, "#h n"] | None = None


class Score(nn.Module, ABC):
    """q (b, h, q, d), k (b, g, k, d) -> scores (b, h, q, k); query head i reads key head i // (h/g)."""

    name: str
    is_dot: bool = False  # whether `as_dot` gives one: known without computing it
    adds_bias: bool = False  # whether that has a bias of its own
    pairwise: bool = False  # whether a pair's score depends on that query and key alone, not on their places, and `finish` does nothing

    def default_scale(self, d: int) -> float:
        """The factor on the score when the caller gives none."""
        return 1.0

    @abstractmethod
    def forward(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"], scale: float | Tensor) -> Float[Tensor, "b h q k"]:
        """The naive form, to be read beside its source; `scale` multiplies the matching term."""

    def as_dot(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> AsDot | None:
        """The same score as a plain dot product (times the scale, plus a bias), or None where it is not one (`is_dot`)."""
        return None

    def as_relative_dot(self, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> AsDot | None:
        """As `as_dot`, with a bias that depends on distance alone left as `relative`, for kernels that need no table of all pairs."""
        return self.as_dot(q, k)

    def finish(self, out: Float[Tensor, "b h q v"], q: Float[Tensor, "b h q d"]) -> Float[Tensor, "b h q v"]:
        """What the mechanism does to the output; nothing, unless it says so."""
        return out


def dot(q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k d"]) -> Float[Tensor, "b h q k"]:
    """Q Kᵀ by groups: the keys of a group are read by all its query heads and never copied."""
    grouped = rearrange(q, "b (g r) q d -> b g (r q) d", g=k.shape[1])
    return rearrange(grouped @ k.transpose(-1, -2), "b g (r q) k -> b (g r) q k", r=q.shape[1] // k.shape[1])
