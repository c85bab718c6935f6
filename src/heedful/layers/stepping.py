"""Attending in steps: what a cache holds and what is new make one call that equals the same rows of the full pass."""

from __future__ import annotations

import torch

from heedful.attention.masks.algebra import And
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.window import Window
from heedful.attention.scores.biased import Biased
from heedful.attention.scores.query_biased import QueryBiased
from heedful.attention.scores.score import Score
from heedful.errors import Unsupported
from heedful.layers.cache.cache import Cache
from heedful.layers.lookahead import looks_back
from heedful.layers.pending import Pending

ADVICE = "a rule that counts from the first key (~Prefix(padding) for padding on the left) would work"


def through(cache: Cache, call: Pending, own: Mask | None) -> None:
    """Make a call over the new tokens one over all that the cache holds; `own` is the layer's mask without the call's."""
    check_mask(own, call.mask)
    check_score(call, cache)
    start, t = cache.length, call.q.shape[2]
    at_q = torch.arange(start, start + t, device=call.q.device)
    call.rotate(at_q, at_q)
    call.k, call.v = cache.append(call.k, call.v)
    if call.position is not None:
        call.place(at_q, cache.positions)
    call.mask = seen(call.mask, cache, call)


def seen(mask: Mask | None, cache: Cache, call: Pending) -> Mask | None:
    """The mask over the keys that the cache gave back: at their true positions, without what it forgets."""
    alone = call.q.shape[2] == 1
    if mask is None or (alone and admits(mask, cache)):
        return None
    if cache.gapless:
        return mask
    if cache.forgets is not None and not alone:
        mask = mask & cache.forgets
    at_q = torch.arange(cache.length - call.q.shape[2], cache.length, device=call.q.device)
    return mask.at(at_q, cache.positions, cache.length)


def admits(mask: Mask, cache: Cache) -> bool:
    """Whether the newest token may see every key the cache holds, as far as the rule itself tells: most steps need no mask."""
    if isinstance(mask, And):
        return mask == cache.forgets or all(admits(part, cache) for part in mask.parts)
    if isinstance(mask, Window):
        return cache.reach is not None and mask.size >= cache.reach
    return isinstance(mask, Causal)


def check_mask(own: Mask | None, mask: Mask | None) -> None:
    """Refuse masks under which a step could not equal the full pass."""
    if own is not None and not own.stable:
        raise Unsupported(f"{own} changes when keys are added, so steps through a cache would differ from the full pass; {ADVICE}")
    if not looks_back(mask):
        found = "no mask" if mask is None else f"{mask}, which may look ahead"
        raise Unsupported(f"a cache holds the past only, and this layer has {found}: mask=Causal(), or & Causal(), would work")


def check_score(call: Pending, cache: Cache) -> None:
    """Refuse scores with a table over places that this cache does not keep apart."""
    score = call.score
    if not isinstance(score, Biased | QueryBiased):
        return
    if not cache.gapless:
        raise Unsupported(f"the score {score.name} looks keys up by their place, and a window cache drops keys: a KVCache would work")
    if isinstance(score, QueryBiased) and score.residual and call.position is not None:
        raise Unsupported(
            "query_biased with residual=True adds the query as it was before its position, and steps hold it after: no position would work"
        )
    if isinstance(score, Biased) and score.radius is None and score.align == "start":
        raise Unsupported("the score biased with align='start' reads row 0 for every step's first query: align='end' would work")


def check_context(score: Score, own: Mask | None, placed: bool) -> None:
    """Refuse what depends on where a query stands, for steps over a cached context: a step cannot know how many are to come."""
    if placed or own is not None or (isinstance(score, Biased) or (isinstance(score, QueryBiased) and score.radius is not None)):
        raise Unsupported(
            "steps over a cached context know no place of the query, and this layer's mask, position or score needs one: "
            "a call without cache, or mask= on the call, would work"
        )
