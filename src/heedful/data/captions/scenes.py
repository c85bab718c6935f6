"""Scenes of real items at clear places, with what a grammar says of them and asks about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import Final, NamedTuple

import torch
from jaxtyping import Bool, Int, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from heedful.data.captions.grammar import Item, Said, caption, how_many, what, where
from heedful.data.captions.layouts import Layouts, layouts
from heedful.data.captions.nouns import nouns_of
from heedful.data.images.pictures import Pictures
from heedful.data.images.scenes import DARK, GROUND
from heedful.errors import DataError
from heedful.spec.captions import CaptionDataSpec

STEPS: Final = 4  # different sides of items
BARE: Final = 0.25  # of the questions have nothing or none for an answer
TRIES: Final = 6  # for each question: not every kind can be asked of every scene
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Scenes:
    """Pictures, the thing (from 1, in order from left to right) that is seen at each pixel, and the things themselves."""

    pixels: UInt8[Tensor, "n c h w"]
    owner: UInt8[Tensor, "n h w"]
    items: tuple[tuple[Item, ...], ...]


class Cast(NamedTuple):
    """What a scene may be made of: the nouns, the items of each, and which pairs of nouns are kept apart."""

    nouns: tuple[str, ...]
    items: tuple[Int[Tensor, " n"], ...]
    pixels: UInt8[Tensor, "n c h w"]
    apart: Bool[Tensor, "nouns nouns"]


def cast_of(pictures: Pictures, nouns: Sequence[str], apart: Bool[Tensor, "k k"]) -> Cast:
    """The items of a part by their nouns."""
    named = nouns_of(sorted(set(pictures.labels)))
    of_each = [named[label] for label in pictures.labels]
    places = tuple(torch.tensor([i for i, name in enumerate(of_each) if name == noun], dtype=torch.long) for noun in nouns)
    return Cast(tuple(nouns), places, pictures.pixels, apart)


def kept_apart(nouns: int, share: float, seed: int) -> Bool[Tensor, "nouns nouns"]:
    """Which pairs of different nouns never stand together while learning: this share of all, none of them if it is 0.

    >>> int(kept_apart(10, 0.1, seed=0).sum()) // 2
    4
    """
    pairs = list(combinations(range(nouns), 2))
    count = round(share * len(pairs)) if share else 0
    found = torch.zeros(nouns, nouns, dtype=torch.bool)
    for i in torch.randperm(len(pairs), generator=torch.Generator().manual_seed(seed))[:count].tolist():
        found[pairs[i]] = found[pairs[i][::-1]] = True
    return found


def scenes(cast: Cast, spec: CaptionDataSpec, count: int, generator: torch.Generator, strange: bool = False) -> Scenes:
    """So many scenes in which no pair stands that is kept apart, or, if `strange`, one at least."""
    if any(not len(places) for places in cast.items):
        raise DataError("there are nouns without items to paste: more pictures of each class would work")
    most = spec.items
    many = torch.randint(2 if strange and most > 1 else 1, most + 1, (count,), generator=generator)
    nouns = drawn(cast, many, most, generator, strange)
    chosen = torch.zeros(count, most, dtype=torch.long)
    for number, places in enumerate(cast.items):
        chosen = torch.where(nouns == number, places[torch.randint(len(places), (count, most), generator=generator)], chosen)
    base = cast.pixels.shape[-1]
    sides = torch.linspace(base * spec.smaller, base * spec.larger, STEPS).round().long()
    laid = Layouts(*(torch.zeros(count, most, dtype=torch.long) for _ in range(3)))
    for items in range(1, most + 1):
        rows = (many == items).nonzero()[:, 0]
        found = layouts(len(rows), items, sides, spec.size, generator)
        for whole, part in zip(laid, found, strict=True):
            whole[rows, :items] = part
    named = tuple(told([cast.nouns[i] for i in row], laid, place, spec.size) for place, row in enumerate(used(nouns, many)))
    return painted(cast.pixels, chosen, laid, named, spec, generator)


def drawn(cast: Cast, many: Int[Tensor, " n"], most: int, generator: torch.Generator, strange: bool) -> Int[Tensor, "n items"]:
    """The nouns of every scene; beyond `many` they do not count."""
    kinds, count = len(cast.nouns), len(many)
    there = torch.arange(most) < many[:, None]
    nouns = torch.zeros(count, most, dtype=torch.long)
    wrong = torch.ones(count, dtype=torch.bool)
    pairs = cast.apart.triu().nonzero()
    while bool(wrong.any()):
        again = torch.randint(kinds, (int(wrong.sum()), most), generator=generator)
        if strange and len(pairs):
            pair = pairs[torch.randint(len(pairs), (len(again),), generator=generator)]
            again[:, :2] = torch.where(torch.rand(len(again), 1, generator=generator) < 0.5, pair, pair.flip(1))
        nouns[wrong] = again
        both = there[:, :, None] & there[:, None, :]
        together = (cast.apart[nouns[:, :, None], nouns[:, None, :]] & both).flatten(1).any(1)
        wrong = torch.zeros_like(wrong) if strange else together
    return nouns


def used(nouns: Int[Tensor, "n items"], many: Int[Tensor, " n"]) -> list[list[int]]:
    """The nouns that count."""
    return [row[:items] for row, items in zip(nouns.tolist(), many.tolist(), strict=True)]


def told(nouns: Sequence[str], laid: Layouts, place: int, size: int) -> tuple[Item, ...]:
    """The things of one scene in order."""
    rows = (laid.left[place].tolist(), laid.top[place].tolist(), laid.sides[place].tolist())
    return tuple(
        Item(noun, (left + side / 2) / size, (top + side / 2) / size)
        for noun, left, top, side in zip(nouns, *(row[: len(nouns)] for row in rows), strict=True)
    )


def painted(
    pixels: UInt8[Tensor, "n c h w"],
    chosen: Int[Tensor, "m items"],
    laid: Layouts,
    named: tuple[tuple[Item, ...], ...],
    spec: CaptionDataSpec,
    generator: torch.Generator,
) -> Scenes:
    """Items on a dim ground, each scene's from left to right; of coloured items, which have a ground of their own, whole squares."""
    count, channels = len(named), pixels.shape[1]
    ground = torch.randint(GROUND, (count, 1, 1, 1), generator=generator)
    made = (ground + torch.randint(0, 16, (count, 1, spec.size, spec.size), generator=generator)).byte().expand(-1, channels, -1, -1)
    made, owner = made.contiguous(), torch.zeros(count, spec.size, spec.size, dtype=torch.uint8)
    for number in range(chosen.shape[1]):
        for side in sorted(set(laid.sides[:, number].tolist())):
            rows = [i for i in (laid.sides[:, number] == side).nonzero()[:, 0].tolist() if number < len(named[i])]
            if not rows:
                continue
            sized = interpolate(pixels[chosen[rows, number]].float(), (side, side), mode="bilinear", antialias=True, align_corners=False)
            for i, item in zip(rows, sized.round().clamp(0, 255).byte(), strict=True):
                left, top = int(laid.left[i, number]), int(laid.top[i, number])
                window = (slice(top, top + side), slice(left, left + side))
                shape = item[0] > DARK if channels == 1 else torch.ones_like(item[0], dtype=torch.bool)
                made[i][(slice(None), *window)] = torch.where(shape, item, made[i][(slice(None), *window)])
                owner[i][window].masked_fill_(shape, number + 1)
    return Scenes(made, owner, named)


def texts_of(items: Sequence[Item], nouns: Sequence[str], questions: int, chance: Random) -> tuple[Said, ...]:
    """The caption of a scene and so many questions about it, of each kind as often as another."""
    found = [Said("", caption(items), "caption")]
    there, empty = what(items)
    some, none = how_many(items, nouns)
    kinds = [(there, empty), (where(items), []), (some, none)]
    first = chance.randrange(len(kinds))
    for turn in range(first, first + TRIES * questions):
        full, bare = ([said for said in side if said not in found] for side in kinds[turn % len(kinds)])
        pool = bare if bare and (not full or chance.random() < BARE) else full
        if pool and len(found) <= questions:
            found.append(chance.choice(pool))
    return tuple(found)


def scene_texts(made: Scenes, nouns: Sequence[str], questions: int, seed: int) -> tuple[tuple[Said, ...], ...]:
    """The texts of every scene."""
    chance = Random(seed)
    return tuple(texts_of(items, nouns, questions, chance) for items in made.items)


def pairs_of(apart: Bool[Tensor, "nouns nouns"], nouns: Sequence[str]) -> list[str]:
    """The pairs that are kept apart, in words."""
    return [f"{nouns[i]} with {nouns[j]}" for i, j in apart.triu().nonzero().tolist()]
