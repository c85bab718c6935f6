"""How well a language model predicts a text: nats, perplexity, bits per character, accuracy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from heedful.train.objective import Carry, Objective, Outcome, next_token

IGNORED = -100
B = TypeVar("B", bound=tuple[Any, ...])


class Tally(NamedTuple):
    """Sums over labels: nats, how many there are, how many were the likeliest token (or how right each was, where that is a share)."""

    nats: float
    tokens: int
    correct: float


@dataclass(frozen=True)
class Scores:
    """The quality of predictions over a text.

    `loss` is nats per token, `perplexity` its exponential, `bits_per_character` counts the characters those tokens
    stand for, `accuracy` is the share of tokens that were the likeliest.
    """

    loss: float
    perplexity: float
    bits_per_character: float
    accuracy: float
    tokens: int
    characters: int


def scores(tally: Tally, characters: int) -> Scores:
    """The scores of a tally over tokens that stand for so many characters.

    >>> scores(Tally(nats=100 * math.log(2), tokens=100, correct=25), characters=200).bits_per_character
    0.5
    """
    loss = tally.nats / tally.tokens
    bits = tally.nats / math.log(2) / characters if characters else math.nan
    return Scores(loss, perplexity(loss), bits, tally.correct / tally.tokens, tally.tokens, characters)


def perplexity(loss: float) -> float:
    """e^loss, infinite where that is beyond a float."""
    return math.exp(loss) if loss < 700 else math.inf


@torch.no_grad()
def tally(model: nn.Module, batches: Iterable[Any], device: torch.device | str = "cpu", objective: Objective = next_token) -> Tally:
    """Sums over all labels of `batches`, without dropout, in float64; one wait for the device, at the end."""
    was_training = model.training
    model.eval()
    total = torch.zeros(3, dtype=torch.float64, device=device)
    carry: Carry = None
    for batch in batches:
        outcome = objective(model, moved(batch, device), carry)
        carry = outcome.carry
        total += counted(outcome, batch.labels.to(device))
    model.train(was_training)
    nats, tokens, correct = total.tolist()
    return Tally(nats, int(tokens), correct)


def counted(outcome: Outcome, labels: Tensor) -> Tensor:
    """(nats, tokens, correct) of one batch."""
    kept = labels != IGNORED
    tokens = kept.sum()
    correct = outcome.right
    if correct is None:
        correct = torch.zeros_like(tokens) if outcome.logits is None else (outcome.logits.argmax(-1) == labels).logical_and(kept).sum()
    nats = outcome.loss.double() * tokens
    return torch.stack([torch.where(tokens > 0, nats, 0.0), tokens.double(), correct.double()])


def moved(batch: B, device: torch.device | str) -> B:
    """A named tuple with its tensors on the device, without waiting for it."""
    return type(batch)(*(part.to(device, non_blocking=True) if isinstance(part, Tensor) else part for part in batch))
