"""Sanity: an explanation that stays the same when a model's weights are drawn anew does not tell of the model.

Adebayo et al. 2018, arXiv 1810.03292: Spearman's rank correlation between scores under the learnt weights and under random ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.method import Method
from heedful.explanations.subject import Subject


def alike(subject: Subject, methods: Sequence[Method], seed: int = 0) -> list[float | None]:
    """For each method how alike its scores are under random weights: 1 the same order, 0 none; None where it cannot serve either."""
    other = subject.randomised(seed)
    pairs = [(method.why_not(subject) or method.why_not(other), method) for method in methods]
    return [None if reason else spearman(method.scores(subject), method.scores(other)) for reason, method in pairs]


def spearman(one: Float[Tensor, " n"], other: Float[Tensor, " n"]) -> float:
    """The correlation of ranks, equals sharing theirs; 0 where either is all equal.

    >>> spearman(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([30.0, 20.0, 10.0]))
    -1.0
    """
    ranked = [ranks(each) - (len(each) - 1) / 2 for each in (one, other)]
    sizes = ranked[0].norm() * ranked[1].norm()
    return round(float(ranked[0] @ ranked[1] / sizes), 12) if sizes > 0 else 0.0


def ranks(values: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """From 0, equals sharing the mean of theirs."""
    _, back, counts = torch.unique(values.double(), return_inverse=True, return_counts=True)
    before = (counts.cumsum(0) - counts).double()
    shared: Tensor = before + (counts - 1).double() / 2
    return shared[back]
