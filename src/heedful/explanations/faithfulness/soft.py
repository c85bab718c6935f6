"""Soft faithfulness: every unit stays in part, so that no input is of a kind that the model never saw.

Zhao & Aletras 2023, arXiv 2305.10496: each number of a unit's vector is kept with probability a (sufficiency) or 1 - a
(comprehensiveness), a the unit's score between 0 and 1, and the result is held against keeping nothing: over all texts together, since
a text that loses next to nothing without its units has no scale of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.explanations.subject import Subject


@dataclass(frozen=True, slots=True)
class Soft:
    """What is lost of the probability with each unit kept as it counts, with each kept as it does not, and with nothing."""

    kept: float
    left: float
    nothing: float


def normalised(found: Sequence[Soft]) -> tuple[float, float] | None:
    """Soft sufficiency and comprehensiveness, both high where good; None where nothing is lost without the units.

    >>> normalised([Soft(0.1, 0.4, 0.5)])
    (0.8, 0.8)
    """
    kept, left, nothing = sum(each.kept for each in found), sum(each.left for each in found), sum(each.nothing for each in found)
    return None if nothing <= 0 else (1 - kept / nothing, left / nothing)


@torch.no_grad()
def soft(subject: Subject, scores: Float[Tensor, " n"], draws: int = 8, seed: int = 0) -> Soft:
    """The two measures for one explanation, the mean over draws; only where the subject has features."""
    generator = torch.Generator().manual_seed(seed)
    shares = torch.ones(len(subject.features), dtype=torch.float64)
    unit = scaled(scores)
    for places, share in zip(subject.places, unit.tolist(), strict=True):
        shares[list(places)] = share
    own = torch.zeros(len(shares), dtype=torch.bool)
    own[[place for places in subject.places for place in places]] = True
    features = subject.features
    drawn = torch.rand(2, draws, *features.shape, generator=generator, dtype=torch.float64)
    keeps = torch.where(own[:, None], torch.stack([drawn[0] < shares[:, None], drawn[1] >= shares[:, None]]), True)
    nothing = torch.where(own[:, None], 0.0, 1.0).to(features)
    rows = torch.cat([features[None], (features * nothing)[None], features * keeps[0].to(features), features * keeps[1].to(features)])
    found = subject.probability(torch.cat([subject.of_features(some).double().cpu() for some in torch.split(rows, draws)]))
    lost = (found[0] - found).clamp(min=0)
    return Soft(float(lost[2 : 2 + draws].mean()), float(lost[2 + draws :].mean()), float(lost[1]))


def scaled(scores: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Scores between 0, for the least of them or what speaks against the answer, and 1."""
    positive = scores.clamp(min=0)
    top = positive.max()
    return positive / top if top > 0 else positive
