"""Plausibility: how well an explanation agrees with what people marked. Never a measure of faithfulness (Jacovi & Goldberg 2020).

DeYoung et al. 2020, arXiv 1911.03429, §4.1: F1 over tokens, F1 over spans that overlap by half or more (IOU), average precision of scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Span = tuple[int, int]


def average_precision(scores: Float[Tensor, " n"], truth: Bool[Tensor, " n"]) -> float | None:
    """The precision at each marked token's rank, averaged; equals are passed together; None where nothing is marked.

    >>> average_precision(torch.tensor([0.9, 0.8, 0.1]), torch.tensor([True, False, True]))
    0.8333333333333333
    """
    if not bool(truth.any()):
        return None
    levels, place = torch.unique(scores.double(), return_inverse=True)
    marked = torch.zeros(len(levels), dtype=torch.float64).index_add(0, place, truth.double()).flip(0)
    every = torch.zeros(len(levels), dtype=torch.float64).index_add(0, place, torch.ones_like(truth, dtype=torch.float64)).flip(0)
    precision = marked.cumsum(0) / every.cumsum(0)
    return float((precision * marked).sum() / marked.sum())


def token_f1(chosen: Bool[Tensor, " n"], truth: Bool[Tensor, " n"]) -> float:
    """F1 of the chosen tokens; 1 where neither chose any (as SemEval 2021 task 5 scores texts without a span).

    >>> token_f1(torch.tensor([True, True]), torch.tensor([True, False]))
    0.6666666666666666
    """
    both, either = int((chosen & truth).sum()), int(chosen.sum()) + int(truth.sum())
    return 1.0 if either == 0 else 2 * both / either


def iou_f1(chosen: Bool[Tensor, " n"], truth: Bool[Tensor, " n"], least: float = 0.5) -> float:
    """F1 over spans: a chosen one counts where it overlaps a marked one by `least` of their union.

    >>> iou_f1(torch.tensor([True, True, False, True]), torch.tensor([True, True, True, False]))
    0.6666666666666666
    """
    ours, theirs = spans(chosen), spans(truth)
    if not ours and not theirs:
        return 1.0
    hits = sum(any(overlap(span, other) >= least for other in theirs) for span in ours)
    found = sum(any(overlap(span, other) >= least for other in ours) for span in theirs)
    precision, recall = hits / max(1, len(ours)), found / max(1, len(theirs))
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def spans(chosen: Bool[Tensor, " n"]) -> list[Span]:
    """Runs of chosen tokens, first and end."""
    edges = torch.cat([torch.zeros(1), chosen.float(), torch.zeros(1)]).diff()
    return list(zip((edges == 1).nonzero().flatten().tolist(), (edges == -1).nonzero().flatten().tolist(), strict=True))


def overlap(one: Span, other: Span) -> float:
    """The shared part of two spans, by what they cover together."""
    shared = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return shared / (one[1] - one[0] + other[1] - other[0] - shared)


def best_threshold(scores: Sequence[Float[Tensor, " n"]], truth: Sequence[Bool[Tensor, " n"]], levels: int = 50) -> float:
    """The share of a text's highest score from which a token is taken as marked: the best token F1 on these texts (validation)."""
    shares = [i / levels for i in range(1, levels + 1)]
    means = [sum(token_f1(marked(s, share), t) for s, t in zip(scores, truth, strict=True)) / len(scores) for share in shares]
    return shares[max(range(levels), key=lambda i: means[i])]


def marked(scores: Float[Tensor, " n"], share: float) -> Bool[Tensor, " n"]:
    """The tokens whose score is that share of the highest or more; none where no score is above zero."""
    top = scores.max()
    return (scores >= share * top) & (scores > 0)
