"""Where an option lets queries look in one pass: its rule over the whole, and from some place on what its cache still holds."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from einops import repeat
from jaxtyping import Bool, Int
from torch import Tensor

from heedful.attention.masks.dense import Dense
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.prefix import Prefix
from heedful.errors import Unsupported
from heedful.manage.anchor import anchored, leading
from heedful.manage.options.option import Option
from heedful.manage.rows import Rows
from heedful.manage.seen import Seen


def support(seen: Seen, option: Option, prefill: int | None = None, heads: Sequence[int] | None = None) -> Mask | None:
    """The rule to be ANDed with the layer's own, for these query heads (all unless given); None where nothing is shut.

    With `prefill`, queries from that place on see what the cache kept of the keys before it, and all later ones; of a ring
    they see what it still holds.

    Raises `Unsupported` where the option has no meaning: a rule of distance between two streams, a cache of a layer that
    looks ahead, eviction in the middle of cached steps.
    """
    mask, later = (rule if rule is None else counted(seen, rule) for rule in (option.mask(seen.site.causal), option.later()))
    evicts = prefill is not None and option.kept(prefill) < prefill < seen.k.shape[2]
    if seen.site.kind == "cross" and (mask is not None or evicts):
        raise Unsupported(f"{option} at {seen.site.name}: queries and keys of cross attention have no distance; full and drop would work")
    if mask is not None or not evicts:
        return mask
    if not seen.site.causal:
        raise Unsupported(f"{option} at {seen.site.name}: a layer that looks ahead has no cache; a window would work")
    assert prefill is not None
    if later is not None:
        return Rows(0, prefill) | later
    if seen.q.shape[2] != seen.k.shape[2]:
        raise Unsupported(
            f"{option} is simulated over whole sequences: found {seen.q.shape[2]} queries and {seen.k.shape[2]} keys; apply it"
        )
    with torch.no_grad():
        kept = option.keep(seen, prefill)
    return None if kept is None else Rows(0, prefill) | ~Prefix(prefill) | Dense(held(seen, kept, heads)[:, :, None])


def counted(seen: Seen, rule: Mask) -> Mask:
    """The rule, counted from each row's first real key."""
    k_len = seen.k.shape[2]
    before = leading(seen.mask, k_len)
    return rule if before is None else anchored(rule, before, k_len)


def held(seen: Seen, kept: Int[Tensor, "b g n"], heads: Sequence[int] | None = None) -> Bool[Tensor, "b h k"]:
    """Kept keys as a table, for each query head that reads them."""
    b, g, length = seen.k.shape[:3]
    table = torch.zeros(b, g, length, dtype=torch.bool, device=seen.k.device).scatter_(2, kept, True)
    spread: Tensor = repeat(table, "b g k -> b (g r) k", r=seen.q.shape[1] // g)
    return spread if heads is None else spread[:, list(heads)]
