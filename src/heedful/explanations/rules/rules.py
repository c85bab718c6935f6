"""Changed rules of the backward pass: which, and how strongly; the answers themselves stay what they are.

`frozen_norms`: a norm's divisor is a constant (Ali et al. 2022, arXiv 2202.07304). `values_only`: attention weights are constants, and
relevance runs through the values alone (the same paper, and Arras et al. 2025 on its conservation). `temperature`, `shares`: GIM's
softmax at a higher temperature, and the share of the gradient that queries, keys and values get (Edin et al. 2025, arXiv 2505.17630).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """What is changed; nothing unless said.

    >>> Rules(frozen_norms=True, values_only=True).temperature
    1.0
    """

    frozen_norms: bool = False
    values_only: bool = False
    temperature: float = 1.0
    shares: tuple[float, float, float] = (1.0, 1.0, 1.0)

    @property
    def attends(self) -> bool:
        """Whether attention layers have to be seen for it."""
        return self.values_only or self.softens

    @property
    def softens(self) -> bool:
        """Whether the weights themselves have to be made."""
        return self.temperature != 1.0 or self.shares != (1.0, 1.0, 1.0)
