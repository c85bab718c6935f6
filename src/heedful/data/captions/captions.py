"""Pictures with their texts, in parts that are learnt from and parts that are only judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import UInt8
from torch import Tensor

from heedful.data.captions.grammar import Item, Said
from heedful.data.captions.scenes import Scenes


@dataclass(frozen=True, eq=False)
class Captions:
    """Pictures of one size, in bytes, and what is said of each and asked about it; `scenes` knows what stands where, if they were made."""

    pixels: UInt8[Tensor, "n c h w"]
    texts: tuple[tuple[Said, ...], ...]
    names: tuple[str, ...] = ()
    scenes: Scenes | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def picked(self, places: Sequence[int]) -> Captions:
        """Those at `places`, of pictures that were not made."""
        names = tuple(self.names[i] for i in places) if self.names else ()
        return Captions(self.pixels[torch.tensor(places, dtype=torch.long)], tuple(self.texts[i] for i in places), names)

    def items(self, place: int) -> tuple[Item, ...]:
        """What stands in a scene; nothing is known of other pictures."""
        return () if self.scenes is None else self.scenes.items[place]


@dataclass(frozen=True, eq=False)
class CaptionSet:
    """Captions in their parts; `strange` has scenes of pairs of nouns that stand in no other, `apart` those pairs in words.

    `nouns` are those that scenes are made of (none where the pictures are somebody's own), `split` says where the parts come from.
    """

    name: str
    parts: Mapping[str, Captions]
    split: str
    nouns: tuple[str, ...] = ()
    strange: Mapping[str, Captions] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
