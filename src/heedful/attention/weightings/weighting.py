"""What a weighting is: how scores become weights."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Bool, Float
from torch import Tensor


class Weighting(ABC):
    """Scores (..., k) -> weights (..., k), zero wherever a score is -inf, never NaN.

    `normalised` says that the weights of a row sum to one (so that a sink logit means something).
    A row with no finite score gives zeros, and zero gradients.
    """

    name: str
    normalised: bool = True

    @abstractmethod
    def __call__(self, scores: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
        """The weights of each row; blocked entries are -inf."""

    def unblocked(self, scores: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
        """The same where it is known that no entry is -inf."""
        return self(scores)


def blocked(scores: Float[Tensor, "*rows k"]) -> tuple[Float[Tensor, "*rows k"], Bool[Tensor, "*rows k"]]:
    """The scores with every entry of an empty row set to 0, and which entries are blocked: the way to no NaN."""
    shut = scores == float("-inf")
    return scores.masked_fill(shut.all(dim=-1, keepdim=True), 0.0), shut


def wide(dtype: torch.dtype) -> torch.dtype:
    """The type to compute in: float32 for half precision, the type itself otherwise."""
    return torch.promote_types(dtype, torch.float32)
