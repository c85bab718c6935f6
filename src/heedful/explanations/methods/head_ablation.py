"""Head ablation: what the answer's log-probability loses without each attention head.

Michel, Levy & Neubig 2019, arXiv 1905.10650, §3: a head's output is put to zero. Its units are heads, not parts of the input.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.methods.method import Method
from heedful.explanations.methods.needs import layers
from heedful.explanations.subject import Subject


@final
@dataclass(frozen=True)
class HeadAblation(Method):
    """log p with every head, less log p without each, layer by layer.

    >>> HeadAblation().name
    'head_ablation'
    """

    name: ClassVar[str] = "head_ablation"
    title: ClassVar[str] = "change of log p without the head"
    source: ClassVar[str] = "Michel et al. 2019, arXiv 1905.10650"
    signed: ClassVar[bool] = True

    def why_not(self, subject: Subject) -> str | None:
        """Why it cannot serve this subject; None where it can."""
        return layers(subject)

    def scores(self, subject: Subject) -> Float[Tensor, " heads"]:
        """The losses, in the order of `heads_of`."""
        whole = subject.scored(subject.whole())
        return whole - subject.silenced(heads_of(subject)).double().cpu()

    def passes(self, subject: Subject) -> int:
        """One for each head, and two."""
        return len(heads_of(subject)) + 2


def heads_of(subject: Subject) -> list[tuple[int, int]]:
    """Every head as (layer, head), counted from 0."""
    return [(layer, head) for layer, look in enumerate(subject.looked().layers) for head in range(look.heads)]


def names_of(subject: Subject) -> tuple[str, ...]:
    """What the heads are called, counted from 1."""
    passed = subject.looked().layers
    return tuple(f"{passed[layer].name} head {head + 1}" for layer, head in heads_of(subject))


def by_layer(scores: Float[Tensor, " heads"], subject: Subject) -> list[Float[Tensor, " h"]]:
    """The scores of each layer's heads."""
    return list(torch.split(scores, [look.heads for look in subject.looked().layers]))
