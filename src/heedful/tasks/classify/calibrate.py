"""How sure a classifier may say it is: one temperature for all its scores, fitted on texts it has not learnt from.

Temperature scaling (Guo et al. 2017, arXiv 1706.04599, §4.2): the class stays, the confidence changes. The temperature is kept in the
checkpoint, so that every later answer is calibrated.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from heedful.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

KEPT: Final = "temperature"  # among a checkpoint's notes
BOUNDS: Final = (math.log(0.05), math.log(20.0))
STEPS: Final = 60  # of golden section: the bracket shrinks below 1e-11


def temperature_of(logits: Float[Tensor, "n c"], labels: Int[Tensor, " n"]) -> float:
    """The temperature of least cross entropy, between 1/20 and 20.

    Of n texts each label counts (n + 1) / (n + 2) and the other classes share the rest, as if one more text had been wrong (Platt 1999,
    §2.2): n right answers out of n are no proof of certainty.

    >>> logits = torch.tensor([[4.0, 0.0]] * 4)  # surer than right: three of four
    >>> round(temperature_of(logits, torch.tensor([0, 0, 0, 1])), 3)  # 4 / log 2, since 3/4 x 5/6 + 1/4 x 1/6 = 2/3
    5.771
    """
    scores, golden = logits.double(), (math.sqrt(5) - 1) / 2
    texts, classes = logits.shape
    spread = classes / ((classes - 1) * (texts + 2))

    def nats(place: float) -> float:
        return float(cross_entropy(scores / math.exp(place), labels, label_smoothing=spread))

    low, high = BOUNDS
    for _ in range(STEPS):
        first, second = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, second) if nats(first) <= nats(second) else (first, high)
    return math.exp((low + high) / 2)


def temperature_in(checkpoint: Checkpoint) -> float:
    """The one that a checkpoint keeps; 1 where it keeps none."""
    return float(checkpoint.notes.get(KEPT, 1.0))


def keep_temperature(path: Path, temperature: float) -> None:
    """Write the temperature into a checkpoint, whole or not at all."""
    found = load_checkpoint(path)
    save_checkpoint(path, replace(found, notes={**found.notes, KEPT: temperature}))


def threshold_for(confidence: Float[Tensor, " n"], right: Float[Tensor, " n"], wanted: float) -> float:
    """The least confidence above which a share `wanted` of the answers is right, so that most are answered; infinite if there is none.

    >>> confidence, right = torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor([1.0, 1.0, 0.0, 1.0])
    >>> round(threshold_for(confidence, right, 0.9), 2)
    0.8
    """
    order = confidence.argsort(descending=True)
    share = right[order].double().cumsum(0) / torch.arange(1, len(order) + 1)
    last = torch.cat([confidence[order][1:] < confidence[order][:-1], torch.ones(1, dtype=torch.bool)])  # equal ones are answered together
    good = ((share >= wanted) & last).nonzero()
    return float(confidence[order][int(good[-1])]) if len(good) else math.inf
