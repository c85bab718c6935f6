"""Needle: a fact told once, at some depth of a long text, and asked for at its end (Kamradt 2023, needle in a haystack)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import torch
from torch import nn

from heedful.manage.verify.probes.probe import NEAR, At, Probe, Question, Text, asked

KEY: Final = 6
VALUE: Final = 6
DEPTHS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


def needle(model: nn.Module, planned: At, text: Text, length: int, trials: int) -> Iterator[Probe]:
    """A key and its value, from other texts, at each depth; the key comes again at the end, and the value is the answer."""
    for depth in DEPTHS:
        yield asked(model, planned, hidden(text, length, trials, depth), f"needle at {depth:.0%}", told(length, depth))


def hidden(text: Text, length: int, trials: int, depth: float) -> Question:
    """`length` tokens in all: filler, the fact at `depth` of it, filler, the key again, the value."""
    key, value = text.drawn(trials, KEY), text.drawn(trials, VALUE)
    fact = torch.cat([key, value], dim=1)
    room = length - 2 * (KEY + VALUE)
    filler = text.filler(trials, room)
    at = int(depth * filler.shape[1])
    context = torch.cat([filler[:, :at], fact, filler[:, at:]], dim=1)
    asking = torch.cat([context, key, value], dim=1)
    return Question(asking, context.shape[1], asking.shape[1] - VALUE, filler[:, -NEAR:])


def told(length: int, depth: float) -> str:
    """In words."""
    return f"{VALUE} tokens that follow {KEY} others, told once about {int((1 - depth) * length):,} tokens before they are asked for"
