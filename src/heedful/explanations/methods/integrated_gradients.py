"""Integrated gradients: the gradient averaged on the way from nothing to the input, so that the scores add up to the whole change.

Sundararajan et al. 2017, arXiv 1703.01365, eq. 1, by Gauss-Legendre quadrature.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.method import Method
from heedful.explanations.subject import Subject

AT_ONCE: Final = 8192  # places of all steps that are computed together


@final
@dataclass(frozen=True)
class IntegratedGradients(Method):
    """(x - baseline) · ∫ ∇ log p, with as many points as `steps`.

    >>> IntegratedGradients().steps
    32
    """

    name: ClassVar[str] = "integrated_gradients"
    title: ClassVar[str] = "change of log p on the way from nothing"
    source: ClassVar[str] = "Sundararajan et al. 2017, arXiv 1703.01365"
    signed: ClassVar[bool] = True
    steps: int = 32

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        return subject.no_gradients

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """The integrals."""
        nodes, weights = np.polynomial.legendre.leggauss(self.steps)
        start, way = subject.baseline.detach(), (subject.features - subject.baseline).detach()
        at = torch.tensor((nodes + 1) / 2, dtype=start.dtype, device=start.device)
        share = torch.tensor(weights / 2, dtype=torch.float64, device=start.device)
        total = torch.zeros_like(way, dtype=torch.float64)
        for some in torch.split(torch.arange(self.steps), max(1, AT_ONCE // len(start))):
            points = (start + at[some, None, None] * way).requires_grad_()
            (gradient,) = torch.autograd.grad(subject.of_features(points).sum(), points)
            total += torch.einsum("s,stm->tm", share[some], gradient.double())
        return subject.by_unit((total * way.double()).sum(-1))

    def passes(self, subject: Subject) -> int:
        """A forward and a backward for each point."""
        return 3 * self.steps
