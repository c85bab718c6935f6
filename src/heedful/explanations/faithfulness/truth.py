"""What is known to be right: which units an answer rests on, because the data were made so or because people marked it.

Pointing: the highest unit is a right one (Zhang et al. 2018, arXiv 1608.00507, §4.2). Alignment error (Och & Ney 2003, eq. 12): where each
answer has one sure unit and gets one link, 1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|) is 1 less the mean over answers of half a point for a
possible unit and a whole one for a sure one, and that mean is what `points` gives. It is no measure of faithfulness: a model may be right
for reasons of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from heedful.errors import UsageError
from heedful.explanations.plausibility import average_precision


@dataclass(frozen=True, eq=False)
class Truth:
    """Of some units (`asked`): which are surely right, and which are possible, the sure ones among them."""

    asked: Bool[Tensor, " n"]
    sure: Bool[Tensor, " n"]
    possible: Bool[Tensor, " n"]

    def __post_init__(self) -> None:
        if not bool((self.sure & self.asked).any()) or bool((self.sure & ~self.possible).any()):
            raise UsageError("what is right wants one sure unit among those that are asked, and sure units are possible ones too")

    @classmethod
    def of(cls, sure: Bool[Tensor, " n"]) -> Truth:
        """Every unit asked, none possible but the sure ones."""
        return cls(sure | True, sure, sure)


def points(scores: Float[Tensor, " n"], truth: Truth) -> float:
    """1 where the highest unit that is asked is a sure one, a half where it is a possible one; equals share.

    >>> import torch
    >>> right = Truth.of(torch.tensor([False, True, False]))
    >>> points(torch.tensor([0.1, 0.9, 0.2]), right), points(torch.tensor([0.9, 0.9, 0.2]), right)
    (1.0, 0.5)
    """
    own = scores[truth.asked]
    best = own == own.max()
    return float((truth.sure[truth.asked][best].double() + truth.possible[truth.asked][best].double()).mean()) / 2


def precision(scores: Float[Tensor, " n"], truth: Truth) -> float:
    """The average precision of the scores for the sure units."""
    found = average_precision(scores[truth.asked], truth.sure[truth.asked])
    assert found is not None
    return found
