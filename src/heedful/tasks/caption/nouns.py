"""Which tokens of a caption name the things of a scene, and whether they looked there (Zhang et al. 2018, arXiv 1608.00507, §4.2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn.functional import interpolate

from heedful.data.captions.captions import Captions
from heedful.data.captions.grammar import Item
from heedful.data.pairs.rows import encoded
from heedful.data.tokens import Tokenizer
from heedful.tasks.caption.loading import LoadedCaptioner
from heedful.tasks.caption.writing import looked
from heedful.tasks.task import Record
from heedful.tasks.translate.units import units

MOST = 500  # scenes that are pointed at


def naming(tokenizer: Tokenizer, ids: Sequence[int], items: Sequence[Item]) -> list[tuple[int, ...]]:
    """The places of the tokens that name each thing of a caption, in its order.

    >>> from heedful.data.tokens import train_tokenizer
    >>> tokens = train_tokenizer("word", [" a boot above a bag"])
    >>> naming(tokens, tokens.encode(" a boot above a bag").tolist(), [Item("boot", 0, 0), Item("bag", 0, 1)])
    [(1,), (4,)]
    """
    found: list[tuple[int, ...]] = []
    for unit in units(tokenizer, ids):
        if len(found) < len(items) and unit.text == items[len(found)].noun:
            found.append(unit.places)
    return found


def over_layers(layers: Sequence[tuple[str, Float[Tensor, "h t s"]]]) -> Float[Tensor, "t s"]:
    """The mean over heads and layers."""
    return torch.stack([weights.mean(0) for _, weights in layers]).mean(0)


def pointed(loaded: LoadedCaptioner, captions: Captions) -> Record:
    """The share of nouns of the true captions whose place of most attention shows the thing, and what chance would be.

    Weights are the mean over layers and heads; a place shows a thing if a pixel of it is in sight there.
    """
    scenes, side = captions.scenes, loaded.model.side
    hits, chance = list[bool](), list[float]()
    assert scenes is not None
    for place in range(min(MOST, len(captions))):
        caption = next(said.answer for said in captions.texts[place] if not said.question)
        ids = encoded(loaded.tokenizer, caption).tolist()
        weights = over_layers(looked(loaded, captions.pixels[place], torch.zeros(0, dtype=torch.long), ids))
        for number, tokens in enumerate(naming(loaded.tokenizer, ids, scenes.items[place])):
            cells = shown(scenes.owner[place] == number + 1, side)
            hits.append(bool(cells[weights[list(tokens)].mean(0).argmax()]))
            chance.append(float(cells.double().mean()))
    return {"pointing": sum(hits) / max(1, len(hits)), "pointing_by_chance": sum(chance) / max(1, len(chance))}


def shown(there: UInt8[Tensor, "h w"] | Tensor, side: int) -> Tensor:
    """The places, in reading order, in which a pixel of a thing is."""
    return interpolate(there[None, None].float(), (side, side), mode="area").flatten() > 0
