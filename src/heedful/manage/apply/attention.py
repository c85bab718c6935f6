"""An attention layer under a plan: every head computed as its option says, and no more.

Heads stand in the plan's order, those with one option side by side: one projection in, one call of `attend` a group, one
projection out. At lengths where the plan would be slower than all of the attention, all of it is computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.masks.coerce import as_mask
from heedful.attention.masks.mask import Mask
from heedful.attention.positions.position import Position
from heedful.attention.resolve import Options
from heedful.attention.select import Select
from heedful.layers.attention import AttentionLayer
from heedful.layers.cache.cache import Past
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.trace import Trace
from heedful.manage.apply import stepping, together
from heedful.manage.apply.arrangement import Arrangement, Group
from heedful.manage.apply.cache import RaggedCache
from heedful.manage.apply.check import check_cache, check_call, check_layer
from heedful.manage.apply.crossover import crossover
from heedful.manage.apply.passing import passed
from heedful.manage.apply.positions import OfHeads
from heedful.manage.apply.quick import Quick, Stepper
from heedful.manage.apply.slicing import kept_widths, slice_into
from heedful.manage.options.table import parse
from heedful.manage.site import Site


@final
class PlannedAttention(AttentionLayer):
    """`layer` with the option `choices[i]` for its query head i; dropped heads are cut out of every projection.

    >>> import torch, heedful
    >>> from heedful.manage.hosts.ours import site
    >>> layer = heedful.MultiHeadAttention(64, 4, position="rope", mask="causal")
    >>> planned = PlannedAttention(layer, site(0, "layer", layer), ["full", "window(8,2)", "drop", "full"])
    >>> planned(torch.randn(1, 20, 64)).shape, planned.in_proj_weight.shape
    (torch.Size([1, 20, 64]), torch.Size([144, 64]))

    `dense_below`: shorter sequences are read with all of the attention of the heads that are left; None for where the
    machine's cost table puts the crossover, 0 for never.

    Errors: `Unsupported` for layers whose heads cannot be taken apart, `UsageError` for heads that share keys and keep
    different ones.
    """

    def __init__(self, layer: MultiHeadAttention, site: Site, choices: Sequence[str]) -> None:
        check_layer(layer, site)
        arrangement = Arrangement.of(site, [parse(name) for name in choices], layer.mask)
        super().__init__(kept_widths(layer.widths, arrangement), layer.dropout)
        self.site, self.choices, self.arrangement = site, tuple(choices), arrangement
        self.score, self.weighting, self.mask, self.position = layer.score, layer.weighting, layer.mask, layer.position
        self.scale, self.softcap, self.backend = layer.scale, layer.softcap, layer.backend
        self.q_norm, self.k_norm = layer.q_norm, layer.k_norm
        slice_into(self, layer, arrangement)
        self.dense_below: int | None = None
        self.crossovers: dict[tuple[Any, ...], int] = {}
        self.quick: Stepper = Quick(self)
        self.train(layer.training)

    def forward(
        self,
        x: Float[Tensor, "b q m"],
        context: Float[Tensor, "b k n"] | None = None,
        *,
        values: Float[Tensor, "b k w"] | None = None,
        mask: Mask | Bool[Tensor, "..."] | None = None,
        bias: Float[Tensor, "..."] | None = None,
        ids: Tensor | None = None,
        cache: Past | None = None,
        stream: Float[Tensor, "b q m"] | None = None,
        trace: bool | Select = False,
    ) -> Float[Tensor, "b q m"] | tuple[Float[Tensor, "b q m"], Trace]:
        """As the layer it was made from; weights of a trace are those of its heads in their old order, zero for dropped ones."""
        check_call(self, x, values, ids, cache, trace)
        if not self.arrangement.queries:
            return self.without_heads(x, context, stream, trace)
        q, k, v = self.project(x, context, values)
        if self.q_norm is not None and self.k_norm is not None:
            q, k = self.q_norm(q), self.k_norm(k)
        rule = as_mask(mask)
        if isinstance(cache, RaggedCache):
            return self.joined(self.cached(q, k, v, rule, bias, cache), stream)
        q, k = self.turned(q, 0, k.shape[2] - q.shape[2]), self.turned(k)
        if trace is not False or self.core is not attend:
            out, weights = together.attended(self, q, k, v, rule, bias, trace)
            return self.joined(out, stream) if weights is None else (self.joined(out, stream), Trace(weights))
        return self.joined(passed(self, q, k, v, rule, bias), stream)

    def cached(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Mask | None, bias: Tensor | None, cache: RaggedCache
    ) -> Float[Tensor, "b h q v"]:
        """The next tokens over what the cache holds."""
        if mask is None and bias is None and q.shape[2] == 1 and self.quick.why_not(q, cache) is None:
            return self.quick.stepped(q, k, v, cache)
        check_cache(self, q, mask, bias)
        q, k = self.turned(q, cache.length), self.turned(k, cache.length)
        if cache.length == 0 and cache.ends(q.shape[2]):
            out = passed(self, q, k, v, mask, None, cache)
            cache.open(stepping.seen_of(self, q, k, v, mask))
            return out
        return stepping.over(self, q, k, v, mask, cache)

    def options(self, heads: slice, mask: Mask | None, bias: Tensor | None) -> Options:
        """What else `attend` needs for some heads."""
        return {
            "score": self.score,
            "mask": mask,
            "bias": self.of_heads(bias, heads),
            "position": self.placed(heads),
            "weighting": self.weighting,
            "scale": self.scale,
            "softcap": self.softcap,
            "sink_logits": None if self.sink_logits is None else self.sink_logits[heads],
            "temperature": None if self.temperature is None else self.temperature[heads],
            "dropout": self.dropout if self.training else 0.0,
            "backend": self.backend,
        }

    def turned(self, x: Float[Tensor, "b n t d"], first: int = 0, offset: int = 0) -> Float[Tensor, "b n t d"]:
        """Queries or keys at their places, the first of them at `first` + `offset`."""
        if self.position is None:
            return x
        return self.position.rotate(x, torch.arange(first + offset, first + offset + x.shape[2], device=x.device))

    def placed(self, heads: slice) -> Position | None:
        """What the position scheme adds to the scores of some heads."""
        if self.position is None or not self.position.adds_bias:
            return None
        return OfHeads(self.position, self.site.heads, self.arrangement.queries[heads])

    def rule(self, group: Group) -> Mask | None:
        """The group's."""
        return group.rule

    def of_heads(self, bias: Tensor | None, heads: slice) -> Tensor | None:
        """A call's bias for some heads."""
        if bias is None or bias.dim() < 3 or bias.shape[-3] == 1:
            return bias
        index = torch.tensor(self.arrangement.queries[heads], device=bias.device)
        return bias.index_select(-3, index)

    def without_heads(
        self, x: Tensor, context: Tensor | None, stream: Tensor | None, trace: bool | Select
    ) -> Tensor | tuple[Tensor, Trace]:
        """What a layer gives that has no head left: its output bias."""
        nothing = x.new_zeros(*x.shape[:2], self.out_proj.out_features)
        y = nothing if self.out_proj.bias is None else nothing + self.out_proj.bias
        y = y if stream is None else stream + y
        keys = x.shape[1] if context is None else context.shape[1]
        return y if trace is False else (y, Trace(x.new_zeros(len(x), self.site.heads, x.shape[1], keys)))

    def new_cache(self, window: int | None = None, sinks: int = 0) -> RaggedCache:
        """An empty cache for steps, of what the plan keeps; and of no more than the latest `window` keys and the first `sinks`."""
        return RaggedCache(self.arrangement, window, sinks)

    def crossover(self, q: Tensor) -> int:
        """The length from which the plan is quicker than all of the attention."""
        return crossover(self, q) if self.dense_below is None else self.dense_below

    def extra_repr(self) -> str:
        """What tells it apart in a printed model."""
        counts = {name: self.choices.count(name) for name in dict.fromkeys(self.choices)}
        return f"{self.widths.dim} wide, {self.site.heads} heads of {self.widths.head_dim}: " + ", ".join(
            f"{n} {name}" for name, n in counts.items()
        )
