"""How much new items' words count: chosen on the validation part, where new items were taken too.

A new item is scored by its content alone, which training teaches by hiding the vectors of some items (Volkovs et al. 2017, DropoutNet).
But the items that are hidden there are any, and those that are new in the world are wanted more often than others, while their vectors
are shorter for want of a part of their own: raising and lengthening them by what validation likes best makes up for both.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from heedful import atomic
from heedful.errors import CheckpointError
from heedful.models.ranker.items import Catalogue

if TYPE_CHECKING:
    from heedful.tasks.recommend.evaluation import Part

SCALES: Final = (1.0, 2.0, 3.0, 4.0)
RAISES: Final = (0.0, 0.5, 1.0, 2.0)
MOST: Final = 1_000  # targets that they are chosen on, evenly spread
LEAST: Final = 20  # of which so many are new; with fewer nothing is chosen
FILE: Final = "newcomers.json"


@dataclass(frozen=True)
class Newcomers:
    """What is done to new items.

    Arguments:
        scale: their vectors are this many times as long.
        raised: nats that are added to their scores.
        targets, new: that these were chosen on, and how many of them were of new items.
        before, after: NDCG@10 of all those targets without this and with it.
    """

    scale: float = 1.0
    raised: float = 0.0
    targets: int = 0
    new: int = 0
    before: float = 0.0
    after: float = 0.0

    def welcomed(self, catalogue: Catalogue, known: int) -> Catalogue:
        """The catalogue with the items after the `known` ones as they are to be scored.

        >>> both = Catalogue(torch.ones(3, 2), torch.zeros(3))
        >>> found = Newcomers(scale=2.0, raised=0.5).welcomed(both, known=2)
        >>> found.vectors[:, 0].tolist(), found.bias.tolist()
        ([1.0, 1.0, 2.0], [0.0, 0.0, 0.5])
        """
        new = torch.arange(len(catalogue.bias), device=catalogue.bias.device) >= known
        vectors = torch.where(new[:, None], self.scale * catalogue.vectors, catalogue.vectors)
        return catalogue._replace(vectors=vectors, bias=catalogue.bias + self.raised * new)

    @property
    def line(self) -> str:
        """In words."""
        if not self.targets:
            return f"new items: ranked by their content as it is; fewer than {LEAST} validation targets are new ones"
        return (
            f"new items: their vectors count {self.scale:g} times, raised by {self.raised:g} nats, chosen on {self.targets:,} validation "
            f"targets ({self.new:,} of new items): NDCG@10 of all {self.before:.4f} -> {self.after:.4f}"
        )

    def save(self, run: Path) -> None:
        """Beside the checkpoints."""
        atomic.write(run / FILE, json.dumps(asdict(self), indent=2))

    @classmethod
    def of(cls, run: Path) -> Newcomers:
        """What was chosen for a run; nothing is done where nothing was. Raises `CheckpointError` for a damaged file."""
        try:
            return cls(**json.loads((run / FILE).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return cls()
        except (ValueError, TypeError) as error:
            raise CheckpointError(
                f"{run / FILE}: not what training wrote ({error}); without the file new items are scored as they are"
            ) from None


def chosen_on(part: Part, catalogue: Catalogue, ndcg: Callable[[Part, Catalogue], float]) -> Newcomers:
    """The best of all scales and raises on a part that holds new items; the mildest of equals.

    Arguments:
        part: the validation targets.
        catalogue: known items, then new ones as they are.
        ndcg: of a part under a catalogue.
    """
    places = part.places[np.linspace(0, len(part.places) - 1, min(len(part.places), MOST)).astype(np.int64)]
    new = int((part.found.item[places] >= part.found.known).sum())
    if new < LEAST:
        return Newcomers()
    few = replace(part, places=places)
    found = {one: ndcg(few, Newcomers(*one).welcomed(catalogue, part.found.known)) for one in product(SCALES, RAISES)}
    scale, raised = max(found, key=lambda one: found[one])
    return Newcomers(scale, raised, len(places), new, found[SCALES[0], RAISES[0]], found[scale, raised])
