"""A language model of a few hundred numbers, with dropout and, if asked, a state it carries on."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heedful.data.tokens import train_tokenizer
from heedful.data.tokens.tokenizer import Tokenizer
from heedful.spec import DataSpec, DecoderSpec, RunSpec, TrainSpec
from heedful.train.chance import seed_all
from heedful.train.job import Job

TEXT = "the quick brown fox jumps over the lazy dog and runs away\n" * 40


class Said(NamedTuple):
    loss: Tensor | None
    logits: Tensor
    memory: tuple[Tensor, ...] | None


class Toy(nn.Module):
    """Embedding, a leaky sum over time, dropout, output; the sum may go on from `memory`."""

    def __init__(self, vocabulary: int, width: int = 8) -> None:
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.hidden = nn.Linear(width, width)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(width, vocabulary, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, ids: Tensor, *, labels: Tensor | None = None, memory: tuple[Tensor, ...] | None = None) -> Said:
        x = self.embed(ids)
        start = memory[0][:, None] if memory is not None else torch.zeros_like(x[:, :1])
        decay = 0.5 ** torch.arange(1, x.shape[1] + 1, device=x.device)[None, :, None]
        sums = (torch.cumsum(x / decay, dim=1) + start) * decay
        logits = self.out(self.drop(torch.tanh(self.hidden(sums))))
        loss = cross_entropy(logits.flatten(0, 1), labels.flatten()) if labels is not None else None
        return Said(loss, logits, (sums[:, -1].detach(),))


def tokens() -> Tokenizer:
    return train_tokenizer("char", [TEXT])


def job(train: TrainSpec) -> Job:
    """A job on the toy text, always started from the same weights."""
    seed_all(train.seed)
    tokenizer = tokens()
    ids = tokenizer.encode(TEXT)
    spec = RunSpec(data=DataSpec("toy"), model=DecoderSpec(vocabulary=tokenizer.size, context=8, width=8, heads=1, layers=1), train=train)
    return Job(Toy(tokenizer.size), spec, tokenizer, {"train": ids[:2000], "validation": ids[2000:]})
