"""A small model whose every head matters, and texts that it makes up itself: any change of its attention costs nats."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from heedful.manage.profile import Profile
from heedful.models.build import build
from heedful.spec import DecoderSpec

LENGTH = 64
Batches = list[dict[str, Tensor]]


@dataclass(frozen=True)
class Case:
    """A model, disjoint batches, and a profile of the first."""

    model: nn.Module
    calibrate: Batches
    select: Batches
    test: Batches
    profile: Profile


def model_of(seed: int = 0) -> nn.Module:
    """Two layers of four heads, with sharp attention and predictions far from even."""
    torch.manual_seed(seed)
    model = build(DecoderSpec(vocabulary=23, context=LENGTH, width=32, layers=2, heads=4)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.mul_(6.0 if "attention" in name else 3.0)
    return model


def batches_of(model: nn.Module, number: int, rows: int, seed: int, length: int = LENGTH) -> Batches:
    """Random texts, and at each place what the model itself says comes next, drawn by its own probabilities."""
    chance = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(number):
        ids = torch.randint(23, (rows, length), generator=chance)
        with torch.no_grad():
            said = model(ids).logits.softmax(-1).flatten(0, 1)
        made.append({"input_ids": ids, "labels": torch.multinomial(said, 1, generator=chance).view(rows, length)})
    return made
