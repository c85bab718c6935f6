"""A module of a Hugging Face model under a plan: what stays the same from call to call, and one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.window import Window
from heedful.attention.positions.position import Position
from heedful.attention.resolve import Options
from heedful.manage.apply.arrangement import Arrangement, Group
from heedful.manage.apply.crossover import crossover
from heedful.manage.apply.pretrained.told import Own
from heedful.manage.options.option import Option
from heedful.manage.options.table import parse
from heedful.manage.site import Site

PLACED = ~Causal()  # stands for any rule that is no band, where the rule itself holds tensors


@final
class PlannedSite:
    """A site and its heads' options. `sliced`: the module's own projections give the heads that are left, in the plan's order."""

    def __init__(self, site: Site, module: nn.Module, choices: Sequence[str], dense_below: int | None = None) -> None:
        self.site, self.module, self.choices = site, module, tuple(choices)
        self.options: list[Option] = [parse(name) for name in choices]
        self.whole = all(name == "full" for name in choices)
        self.sliced = False
        self.dense_below = dense_below
        self.crossovers: dict[tuple[Any, ...], int] = {}
        self.arrangements: dict[Mask | None, Arrangement] = {}
        self.order = self.under(None)

    @property
    def evicts(self) -> bool:
        """Whether some head's cache throws keys out that the model's own mask would show."""
        return any(keeping.after is not None for _, keeping in self.order.stores)

    def under(self, own: Mask | None) -> Arrangement:
        """The arrangement under the model's own mask; the order of heads is always the same."""
        key = own if own is None or own.home is None else PLACED
        if key not in self.arrangements:
            self.arrangements[key] = Arrangement.of(self.site, self.options, key)
        return self.arrangements[key]

    def taken(self, x: Float[Tensor, "b n t d"], heads: tuple[int, ...]) -> Float[Tensor, "b m t d"]:
        """The heads that are left, in the plan's order."""
        if self.sliced or heads == tuple(range(x.shape[1])):
            return x
        return x.index_select(1, torch.tensor(heads, device=x.device))

    def returned(self, out: Float[Tensor, "b m q v"]) -> Float[Tensor, "b h q v"]:
        """The outputs where the module looks for them: dropped heads give zero."""
        heads = self.order.queries
        if self.sliced or heads == tuple(range(self.site.heads)):
            return out
        whole = out.new_zeros(out.shape[0], self.site.heads, *out.shape[2:])
        return whole.index_copy(1, torch.tensor(heads, device=out.device), out)


@final
@dataclass(slots=True, eq=False)
class Called:
    """One call of a planned module, as `heedful.manage.apply.heads.Heads` says.

    `mask` is the model's own rule in this call, `plain` the same without its padding; `apart` knows how many tokens of padding
    each row begins with, which no plan counts.
    """

    planned: PlannedSite
    arrangement: Arrangement
    mask: Mask | None
    scale: float | None = None
    softcap: float | None = None
    sink_logits: Float[Tensor, " h"] | None = None
    dropout: float = 0.0
    plain: Mask | None = None
    apart: Own | None = None
    crossovers: dict[tuple[Any, ...], int] = field(default_factory=dict)

    @property
    def site(self) -> Site:
        """The site."""
        return self.planned.site

    def options(self, heads: slice, mask: Mask | None, bias: Tensor | None) -> Options:
        """What else `attend` needs for some heads."""
        return {
            "mask": mask,
            "bias": self.chosen(bias, heads, -3),
            "scale": self.scale,
            "softcap": self.softcap,
            "sink_logits": self.chosen(self.sink_logits, heads, 0),
            "dropout": self.dropout,
        }

    def chosen(self, x: Tensor | None, heads: slice, axis: int) -> Tensor | None:
        """Of something that has an axis of all heads, some."""
        if x is None or x.dim() < -axis or x.shape[axis] == 1:
            return x
        return x.index_select(axis, torch.tensor(self.arrangement.queries[heads], device=x.device))

    def placed(self, heads: slice) -> Position | None:
        """Positions are in queries and keys, or in the bias."""
        return None

    def rule(self, group: Group) -> Mask | None:
        """The group's, its first tokens counted from each row's own beginning."""
        band = group.band
        first = None if self.apart is None or band is None or not band.sinks else self.apart.beginning(band.sinks)
        if first is None or band is None or band.size is None:
            return group.rule
        return Window(band.size) | first

    def crossover(self, q: Tensor) -> int:
        """The length from which the plan is quicker than all of the attention."""
        if self.planned.dense_below is not None:
            return self.planned.dense_below
        if self.plain is not None and self.plain.home is not None:
            return 0
        return crossover(replace(self, mask=self.plain, apart=None, crossovers=self.planned.crossovers), q)
