"""What AttentionInterface calls while a plan is applied: every head as its option says, through any cache or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils._python_dispatch import _get_current_dispatch_mode

from heedful.attention.masks.mask import Mask
from heedful.attention.native import ragged
from heedful.attention.native.fill import KINDS
from heedful.errors import Unsupported
from heedful.manage.apply import stepping
from heedful.manage.apply.cache import RaggedCache
from heedful.manage.apply.passing import passed
from heedful.manage.apply.pretrained.cache import PlannedLayer
from heedful.manage.apply.pretrained.layer import PLACED, Called, PlannedSite
from heedful.manage.apply.pretrained.told import Own, own
from heedful.manage.hosts.interface import Answer, Asked, answered, heard, summed


def attention(places: Mapping[int, PlannedSite]) -> Callable[..., Answer]:
    """The function that is registered."""

    def answer(asked: Asked) -> Answer:
        planned = found(places, asked.module)
        if asked.weights:
            raise Unsupported("weights are not given under a plan: output_attentions=False, or the model without it, would work")
        layer = asked.k.__dict__.get("planned")
        call = Called(planned, planned.order, None, asked.scale, asked.softcap, asked.sinks, asked.dropout)
        if not planned.order.queries:
            return empty(planned, asked.q, asked.v), None
        q = planned.taken(asked.q.expand(len(asked.k), -1, -1, -1), planned.order.queries)
        k, v = taken_both(planned, asked.k, asked.v)
        if isinstance(layer, PlannedLayer):
            out = through(call, layer, q, k, v, asked.mask)
        else:
            out = over(call, q, k, v, asked.mask, asked.causal, asked.bias)
        return planned.returned(out).transpose(1, 2).contiguous(), None

    return answered(answer)


def found(places: Mapping[int, PlannedSite], module: Any) -> PlannedSite:
    """The planned site that a module is."""
    if id(module) not in places:
        raise Unsupported(f"a {type(module).__name__} attends that was no part of the model when the plan was applied")
    return places[id(module)]


def taken_both(planned: PlannedSite, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values of the heads that are left."""
    return planned.taken(key, planned.order.keys), planned.taken(value, planned.order.keys)


def empty(planned: PlannedSite, query: Tensor, value: Tensor) -> Float[Tensor, "b q h v"]:
    """What no head gives."""
    heads = 0 if planned.sliced else planned.site.heads
    return query.new_zeros(query.shape[0], query.shape[2], heads, value.shape[3])


def over(
    call: Called, q: Tensor, k: Tensor, v: Tensor, told: Tensor | None, causal: bool, position_bias: Tensor | None
) -> Float[Tensor, "b h q v"]:
    """All keys are there: a whole sequence, or steps over a cache that is not ours."""
    mask, added, keys = heard(told, causal, q.shape[2], k.shape[2])
    if q.shape[2] != keys and call.planned.evicts:
        raise Unsupported(
            f"{call.site.name}: this cache keeps every key, and the plan throws some out: "
            "past_key_values=None under torch.no_grad(), and no cache_implementation, for the plan's own cache, would work"
        )
    bias = summed(added, position_bias, keys)
    apart = own(told)
    if q.shape[2] == 1 and apart is not None and apart.real is None and not apart.slides and apart.distance:
        mask = None  # a step that sees everything
    call.arrangement = call.planned.under(apart.rule if apart is not None else mask)
    return passed(whole(call, mask, apart), q, k[:, :, :keys], v[:, :, :keys], None, bias)


def whole(call: Called, mask: Mask | None, apart: Own | None) -> Called:
    """The call, for a pass under a mask of the model's own."""
    call.mask, call.plain, call.apart = mask, mask if apart is None else apart.rule, apart
    return call


def through(call: Called, layer: PlannedLayer, q: Tensor, k: Tensor, v: Tensor, told: Tensor | None) -> Float[Tensor, "b h q v"]:
    """The next tokens over what the plan's own cache holds."""
    apart = own(told)
    if apart is None:
        raise Unsupported(f"{call.site.name}: its mask is no rule that is known, which a plan's cache needs; use_cache=False would work")
    if torch.is_grad_enabled() and q.requires_grad:
        raise Unsupported("the cache of a plan is written in place and gives no gradients: torch.no_grad(), or use_cache=False, would work")
    cache = layer.ragged
    if cache is None:
        layer.by_column = apart.by_column
        cache = layer.ragged = RaggedCache(call.planned.under(PLACED if layer.by_column else apart.rule))
    call.arrangement, call.mask = cache.arrangement, apart.padded if layer.by_column else apart.rule
    if cache.length == 0:
        return prompted(call, cache, q, k, v, told, None if layer.by_column else apart)
    if apart.late and not layer.by_column:
        raise Unsupported(f"{call.site.name}: tokens of padding came after the prompt, and a plan's cache holds real ones only")
    if q.shape[2] == 1 and cache.fits(q) and quick(call, q):
        held = cache.readers()
        sinks = call.chosen(call.sink_logits, slice(0, q.shape[1]), 0)
        scale = call.scale if call.scale is not None else q.shape[-1] ** -0.5
        out = ragged.stepped(q, k, v, held, scale, call.softcap, None if sinks is None else sinks.detach().double().contiguous())
        cache.stepped()
        return out.unsqueeze(2)
    return stepping.over(call, q, k, v, None, cache)


def prompted(call: Called, cache: RaggedCache, q: Tensor, k: Tensor, v: Tensor, told: Tensor | None, apart: Own | None) -> Tensor:
    """The prompt; when it is done the cache keeps what the plan keeps of it, its padding only where it counts (`apart` is None)."""
    mask, added, _ = heard(told, True, q.shape[2], k.shape[2])
    out = passed(whole(call, mask, apart), q, k, v, None, added, cache)
    cache.open(stepping.seen_of(call, q, k, v, None), None if apart is None else apart.real)
    return out


def quick(call: Called, q: Tensor) -> bool:
    """Whether the library takes the step."""
    if q.device.type != "cpu" or q.dtype not in KINDS or any(group.band is None for group in call.arrangement.groups):
        return False
    watched = torch.compiler.is_compiling() or torch.is_autocast_enabled("cpu") or _get_current_dispatch_mode() is not None
    return not watched and not isinstance(ragged.door(), str)
