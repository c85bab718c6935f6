"""How well classes are told: accuracy, macro-F1, each class by itself, and what is taken for what (scikit-learn's definitions)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from heedful.errors import MissingExtra
from heedful.tasks.task import Listing, Record

PAIRS: Final = 12  # classes up to which the whole confusion table is given; the most frequent mistakes of more


def scored(truth: Sequence[str], found: Sequence[str]) -> Record:
    """Accuracy and macro-F1, as shares.

    >>> dict(scored(["a", "a", "b", "b"], ["a", "a", "b", "a"]))
    {'accuracy': 0.75, 'macro_f1': 0.7333333333333334, 'texts': 4}
    """
    try:
        from sklearn.metrics import accuracy_score, f1_score
    except ImportError:
        raise MissingExtra("scikit-learn", "text", "scoring classes") from None
    labels = sorted({*truth, *found})
    macro = float(f1_score(truth, found, labels=labels, average="macro", zero_division=0.0))
    return {"accuracy": float(accuracy_score(truth, found)), "macro_f1": macro, "texts": len(truth)}


def by_class(labels: Sequence[str], truth: Sequence[str], found: Sequence[str]) -> Listing:
    """Precision, recall, F1 and how many texts of each class there are."""
    from sklearn.metrics import precision_recall_fscore_support

    columns = precision_recall_fscore_support(truth, found, labels=list(labels), zero_division=0.0)
    rows: list[tuple[str | int | float, ...]] = [
        (label, round(float(p), 4), round(float(r), 4), round(float(f), 4), int(n))
        for label, p, r, f, n in zip(labels, *columns, strict=True)
    ]
    return Listing("each class", ("class", "precision", "recall", "f1", "texts"), tuple(rows))


def confusion(labels: Sequence[str], truth: Sequence[str], found: Sequence[str]) -> Listing:
    """A row a class, a column for what it was taken for; of more than 12 classes the most frequent mistakes."""
    from sklearn.metrics import confusion_matrix

    table = confusion_matrix(truth, found, labels=list(labels))
    if len(labels) <= PAIRS:
        rows: list[tuple[str | int | float, ...]] = [(label, *map(int, row)) for label, row in zip(labels, table, strict=True)]
        return Listing("true class, and what it was taken for", ("class", *labels), tuple(rows))
    pairs = [(int(table[i, j]), labels[i], labels[j]) for i in range(len(labels)) for j in range(len(labels)) if i != j and table[i, j]]
    worst = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:PAIRS]
    return Listing("the most frequent mistakes", ("class", "taken for", "texts"), tuple((one, other, count) for count, one, other in worst))


def calibration(probabilities: Tensor, truth: Tensor, bins: int = 15) -> float:
    """The expected calibration error (Guo et al. 2017, arXiv 1706.04599, eq. 3): how far confidence is from accuracy, on average.

    >>> calibration(torch.tensor([[0.9, 0.1], [0.9, 0.1]]), torch.tensor([0, 1]))
    0.4
    """
    confidence, found = probabilities.double().max(1)
    right = (found == truth).double()
    place = (confidence * bins).long().clamp(max=bins - 1)
    gaps = [(right[place == i] - confidence[place == i]).sum().abs() for i in torch.unique(place).tolist()]
    return round(float(torch.stack(gaps).sum()) / len(truth), 6)


def cooled(logits: Float[Tensor, "n c"], truth: Int[Tensor, " n"], temperature: float, of: str = "texts") -> list[Listing]:
    """Nats and calibration error with the scores as they are, and with a temperature from validation; nothing where that is 1.

    >>> (found,) = cooled(torch.tensor([[4.0, 0.0], [4.0, 0.0]]), torch.tensor([0, 1]), 8.0)
    >>> [row[1] for row in found.rows]
    ['1.000', '8.000']
    """
    if temperature == 1.0:
        return []
    rows: list[tuple[str | int | float, ...]] = []
    for name, divisor in (("as they are", 1.0), ("calibrated", temperature)):
        scores = logits.double() / divisor
        loss, error = float(cross_entropy(scores, truth)), calibration(scores.softmax(1), truth)
        rows.append((name, f"{divisor:.3f}", f"{loss:.4f}", f"{error:.4f}"))
    return [Listing(f"the scores, and their temperature from the validation {of}", ("", "temperature", "loss", "error"), tuple(rows))]
