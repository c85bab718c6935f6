"""Sigmoid attention: each key is judged on its own, rows do not sum to one (Ramapuram et al. 2024, 2409.04431)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.attention.weightings.weighting import Weighting, wide
from heedful.errors import UsageError


@dataclass(frozen=True)
class Sigmoid(Weighting):
    """w_j = σ(s_j + bias).

    Args:
        bias: a number, or "log_length" for -log n, n the keys this row may attend to, which keeps the start of training
            near softmax's size whatever the length (their section 3).

    Raises:
        UsageError: `bias` is another word.

    >>> import torch
    >>> Sigmoid()(torch.tensor([[0.0, -torch.inf]]))
    tensor([[0.5000, 0.0000]])
    >>> Sigmoid(bias="log_length")(torch.tensor([[0.0, 0.0, 0.0, -torch.inf]]))
    tensor([[0.2500, 0.2500, 0.2500, 0.0000]])
    """

    bias: float | str = 0.0

    name = "sigmoid"
    normalised = False

    def __post_init__(self) -> None:
        if isinstance(self.bias, str) and self.bias != "log_length":
            raise UsageError(f"sigmoid was given bias={self.bias!r}: a number or 'log_length' would work")

    def __call__(self, scores: Float[Tensor, "*rows k"]) -> Float[Tensor, "*rows k"]:
        """The weights of each row; blocked entries are -inf."""
        shut = scores == float("-inf")
        s = scores.to(wide(scores.dtype)).masked_fill(shut, 0.0)
        return torch.sigmoid(s + self._shift(shut, s.dtype)).to(scores.dtype).masked_fill(shut, 0.0)

    def _shift(self, shut: Bool[Tensor, "*rows k"], dtype: torch.dtype) -> float | Float[Tensor, "*rows 1"]:
        if isinstance(self.bias, str):
            return -(~shut).sum(dim=-1, keepdim=True).clamp(min=1).to(dtype).log()
        return self.bias
