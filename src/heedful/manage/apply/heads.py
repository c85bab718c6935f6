"""What a pass and a step need to know of a layer whose heads have options, whoever's layer it is."""

from __future__ import annotations

from typing import Any, Protocol

from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.attention.positions.position import Position
from heedful.attention.resolve import Options
from heedful.manage.apply.arrangement import Arrangement, Group
from heedful.manage.site import Site


class Heads(Protocol):
    """Heads in the order of an arrangement; `mask` is the layer's own."""

    mask: Mask | None
    crossovers: dict[tuple[Any, ...], int]

    @property
    def site(self) -> Site:
        """The layer before it was given a plan."""

    @property
    def arrangement(self) -> Arrangement:
        """Who is computed and kept together."""

    def options(self, heads: slice, mask: Mask | None, bias: Tensor | None) -> Options:
        """What `attend` needs besides queries, keys and values, for some heads."""

    def placed(self, heads: slice) -> Position | None:
        """What the layer's position scheme adds to the scores of some heads."""

    def rule(self, group: Group) -> Mask | None:
        """What the plan adds to the layer's own mask for a group, in a pass over a whole sequence."""

    def crossover(self, q: Tensor) -> int:
        """The length from which the plan is quicker than all of the attention."""
