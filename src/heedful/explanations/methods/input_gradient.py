"""Input x gradient: each unit's features times the answer's gradient, to first order what they add to its log-probability.

Shrikumar et al. 2016, arXiv 1605.01713. With other rules for the backward pass it is the first look of more than one method.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.method import Method
from heedful.explanations.rules.rules import Rules
from heedful.explanations.subject import Subject


@final
@dataclass(frozen=True)
class InputGradient(Method):
    """∇ log p · x, summed over each unit.

    >>> InputGradient().signed
    True
    """

    name: ClassVar[str] = "input_gradient"
    title: ClassVar[str] = "first-order change of log p"
    source: ClassVar[str] = "Shrikumar et al. 2016, arXiv 1605.01713"
    signed: ClassVar[bool] = True

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        return subject.no_gradients

    def scores(self, subject: Subject) -> Float[Tensor, " n"]:
        """The products."""
        return moved(subject, subject.features)

    def passes(self, subject: Subject) -> int:
        """One forward, one backward."""
        return 3


def moved(subject: Subject, by: Float[Tensor, "t m"], rules: Rules | None = None) -> Float[Tensor, " n"]:
    """∇ log p · `by` for each unit, under other rules of the backward pass if asked for."""
    features = subject.features.detach().clone().requires_grad_()
    with subject.ruled(rules or Rules()):
        (gradient,) = torch.autograd.grad(subject.of_features(features[None])[0], features)
    return subject.by_unit((gradient.double() * by.double()).sum(-1))
