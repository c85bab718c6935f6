"""Tokens that leave a decoder early, once it is sure enough of what follows (Schuster et al. 2022, arXiv 2207.07061).

Each exit reads the stream through a learned translation into that of the last layer (Belrose et al. 2023, arXiv 2303.08112). What a
token that left would have put into the later layers' caches is made up for when a later token goes there: those that wait pass the
layers together. So every layer sees what it would have seen without exits, a step gives what the same place of a full pass gives,
and a threshold that was calibrated on full passes holds in generation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.layers.cache.block import BlockCache
from heedful.spec.exits import ExitSpec

Scored = Callable[[Tensor], Tensor]


@final
class Exits(nn.Module):
    """The exits of a model `dim` wide: a translation each, nothing but the stream at the start.

    >>> exits, x = Exits(ExitSpec(after=(1, 3), threshold=0.5), 16), torch.randn(2, 5, 16)
    >>> torch.equal(exits.translated(0, x), x)
    True
    """

    def __init__(self, spec: ExitSpec, dim: int) -> None:
        super().__init__()
        self.after, self.threshold = spec.after, spec.threshold
        self.translations = nn.ModuleList(nn.Linear(dim, dim) for _ in spec.after)
        for each in self.translations:
            assert isinstance(each, nn.Linear)
            nn.init.zeros_(each.weight)
            nn.init.zeros_(each.bias)

    def translated(self, number: int, x: Float[Tensor, "b t m"]) -> Float[Tensor, "b t m"]:
        """The stream after an exit's layer as the last layer would leave it."""
        moved: Tensor = self.translations[number](x)
        return x + moved

    def sure(self, logits: Float[Tensor, "... v"]) -> Bool[Tensor, "..."]:
        """Whether the likeliest answer has enough of the probability."""
        return confidence(logits) >= self.threshold

    def segments(self, layers: int) -> list[range]:
        """The layers between exits."""
        edges = (0, *self.after, layers)
        return [range(start, end) for start, end in pairwise(edges)]


def confidence(logits: Float[Tensor, "... v"]) -> Float[Tensor, "..."]:
    """The probability of the likeliest answer."""
    wide = logits.float()
    return (wide.amax(-1) - wide.logsumexp(-1)).exp()


def full(exits: Exits, layers: nn.ModuleList, x: Float[Tensor, "b t m"], scored: Scored) -> list[Tensor]:
    """The logits of every exit and of the end, of a whole text through all layers."""
    found = []
    for number, segment in enumerate(exits.segments(len(layers))):
        for layer in segment:
            x = layers[layer](x)
        last = number == len(exits.after)
        found.append(scored(x if last else exits.translated(number, x)))
    return found


def chosen(exits: Exits, logits: Sequence[Float[Tensor, "b t v"]]) -> Float[Tensor, "b t v"]:
    """At each place the logits of the first exit that is sure, or of the end."""
    out = logits[-1]
    for each in reversed(logits[:-1]):
        out = torch.where(exits.sure(each)[..., None], each, out)
    return out


def step(
    exits: Exits, layers: nn.ModuleList, blocks: Sequence[BlockCache], waiting: list[Tensor | None], x: Tensor, scored: Scored
) -> Float[Tensor, "b t v"]:
    """The logits of the next tokens over caches: one token leaves where it is sure, several go all the way.

    `waiting` holds, for each segment, the stream of those that left before it, and is changed.
    """
    new, found = x.shape[1], []
    for number, segment in enumerate(exits.segments(len(layers))):
        held = waiting[number]
        x, waiting[number] = x if held is None else torch.cat([held, x], dim=1), None
        for layer in segment:
            x = layers[layer](x, cache=blocks[layer])
        if number == len(exits.after):
            found.append(scored(x[:, -new:]))
            break
        logits = scored(exits.translated(number, x[:, -new:]))
        found.append(logits)
        if new == 1 and bool(exits.sure(logits).all()):
            later = waiting[number + 1]
            waiting[number + 1] = x if later is None else torch.cat([later, x], dim=1)
            return logits
    return chosen(exits, found)
