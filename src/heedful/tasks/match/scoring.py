"""How well questions are matched: accuracy, mean reciprocal rank, recall among the first k, and what is turned away.

Of a question with one right class the mean average precision is the mean reciprocal rank (Manning et al. 2008, §8.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Bool, Float, Int

from heedful.tasks.task import Record

DEPTHS: Final = (3, 10)


def ranks(scores: Float[np.ndarray, "n c"], truth: Int[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """The rank of the right class, from 1; of equals the middle one.

    >>> ranks(np.array([[0.9, 0.5, 0.5], [0.1, 0.2, 0.3]]), np.array([1, 2])).tolist()
    [2.5, 1.0]
    """
    mine = scores[np.arange(len(truth)), truth][:, None]
    found: Float[np.ndarray, " n"] = (scores > mine).sum(1) + ((scores == mine).sum(1) - 1) / 2 + 1.0
    return found


def ranked(scores: Float[np.ndarray, "n c"], truth: Int[np.ndarray, " n"]) -> Record:
    """Accuracy (ties are shared), MAP and recall among the first k, of questions that each have one right class."""
    place = ranks(scores, truth)
    recall = {f"recall@{k}": float((place <= k).mean()) for k in DEPTHS}
    best = scores.max(1, keepdims=True)
    shared = (scores[np.arange(len(truth)), truth] == best[:, 0]) / (scores == best).sum(1)
    return {"accuracy": float(shared.mean()), "map": float((1.0 / place).mean()), **recall, "questions": len(truth)}


def refusing(right: Bool[np.ndarray, " n"], kept: Bool[np.ndarray, " n"], outside: Bool[np.ndarray, " n"]) -> Record:
    """At an operating point: in-scope accuracy (a question that is turned away is wrong), and recall and precision of what is outside."""
    within, refused = ~outside, ~kept
    found: dict[str, float] = {"in_scope_accuracy": float((right & kept)[within].mean()) if within.any() else float("nan")}
    if outside.any():
        found["out_of_scope_recall"] = float(refused[outside].mean())
        found["out_of_scope_precision"] = float(outside[refused].mean()) if refused.any() else 0.0
    return found


def paired_bootstrap(
    ours: Float[np.ndarray, " n"], theirs: Float[np.ndarray, " n"], draws: int = 2000, seed: int = 0
) -> tuple[float, float]:
    """The 95% interval of the mean difference over the same questions, drawn again and again (Efron & Tibshirani 1993, §13).

    >>> paired_bootstrap(np.ones(50), np.zeros(50))
    (1.0, 1.0)
    """
    difference = ours - theirs
    generator = np.random.default_rng(seed)
    means = np.array([difference[generator.integers(0, len(difference), len(difference))].mean() for _ in range(draws)])
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def numbered(labels: Sequence[str], names: Sequence[str]) -> Int[np.ndarray, " n"]:
    """The place of each class among the names, -1 for one that is not there."""
    place = {name: i for i, name in enumerate(names)}
    return np.array([place.get(label, -1) for label in labels], dtype=np.int64)
