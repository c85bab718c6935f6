"""What a probe asks and what it found: how likely the right tokens are, and how many others come before them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.manage.objective import token_losses

At = Callable[[int], AbstractContextManager[object]]
KNOWN: Final = 0.5  # nats a token by which an answer must be more likely where it was told, to be known
TELLING: Final = 0.5  # nats a token by which an answer has become less likely than a reader should miss
NEAR: Final = 128  # tokens before a question whose answer was not told


class Question(NamedTuple):
    """Tokens whose places from `answer` on are the right answer; those before `context` are read in one go, before it is asked.

    `untold` is text that says nothing of the answer.
    """

    ids: Int[Tensor, "b n"]
    context: int
    answer: int
    untold: Int[Tensor, "b m"]


@dataclass(frozen=True, slots=True)
class Probe:
    """An answer under the dense and the planned model: mean nats of a token of it, and its mean rank (1: put first).

    `untold`: its nats under the dense model where it was not told.
    """

    name: str
    about: str
    dense: float
    planned: float
    dense_rank: float
    planned_rank: float
    untold: float

    @property
    def known(self) -> bool:
        """Whether the dense model makes use of what it was told, so that there is something to lose."""
        return self.dense < self.untold - KNOWN

    @property
    def lost(self) -> float:
        """By how many nats a token the answer became less likely."""
        return self.planned - self.dense

    @property
    def telling(self) -> bool:
        """Whether a reader has to be told."""
        return self.known and self.lost > TELLING


class Text:
    """Sequences of real tokens: the first half to hide things in, the others to take things from; all drawn from one seed."""

    def __init__(self, rows: Int[Tensor, "b n"], seed: int = 0) -> None:
        half = (len(rows) + 1) // 2
        self.rows, self.others = rows[:half], rows[half:]
        self.known: Int[Tensor, " n"] = torch.unique(rows)
        self.chance = torch.Generator().manual_seed(seed)

    def filler(self, count: int, length: int) -> Int[Tensor, "b n"]:
        """The starts of `count` sequences, from the first again where there are fewer."""
        return self.rows[torch.arange(count, device=self.rows.device) % len(self.rows), :length]

    def drawn(self, count: int, length: int) -> Int[Tensor, "b n"]:
        """So many tokens in a row from anywhere in the other sequences; random ones where there are none."""
        if not len(self.others):
            return self.known[torch.randint(len(self.known), (count, length), generator=self.chance).to(self.known.device)]
        row = torch.randint(len(self.others), (count, 1), generator=self.chance)
        start = torch.randint(self.others.shape[1] - length + 1, (count, 1), generator=self.chance)
        found: Tensor = self.others[row, start + torch.arange(length)]
        return found


@torch.no_grad()
def asked(model: nn.Module, planned: At, question: Question, name: str, about: str) -> Probe:
    """The question under both; `planned(prefill)` evicts once, after the context."""
    dense = answered(model, question.ids, question.answer)
    with planned(question.context):
        thin = answered(model, question.ids, question.answer)
    before = question.untold.shape[1] - question.context
    untold = answered(model, torch.cat([question.untold, question.ids[:, question.context :]], dim=1), question.answer + before)
    return Probe(name, about, dense[0], thin[0], dense[1], thin[1], untold[0])


def answered(model: nn.Module, ids: Int[Tensor, "b n"], answer: int) -> tuple[float, float]:
    """Mean nats and mean rank of the tokens from `answer` on."""
    scored = token_losses(model, {"input_ids": ids})
    assert scored.logits is not None
    told = slice(answer - 1, ids.shape[1] - 1)
    nats: Float[Tensor, "b a"] = scored.nll[:, told]
    logits = scored.logits[:, told].float()
    right = logits.gather(-1, ids[:, answer:, None])
    rank = (logits > right).sum(-1) + ((logits == right).sum(-1) + 1) / 2  # among equals, the middle
    return float(nats.mean()), float(rank.double().mean())
