"""Tokens over a ragged cache, by torch's operations and `attend`: any rule, any number of tokens, any padding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from heedful.attention.attend import attend
from heedful.attention.masks.dense import Dense
from heedful.attention.masks.mask import Lengths, Mask
from heedful.attention.masks.sinks import Sinks
from heedful.attention.masks.window import Window
from heedful.manage.apply.arrangement import Keys, Reader
from heedful.manage.apply.cache import RaggedCache, looks
from heedful.manage.apply.passing import both, read
from heedful.manage.apply.store import Store
from heedful.manage.seen import Seen

if TYPE_CHECKING:
    from heedful.manage.apply.heads import Heads

Found = tuple[Tensor, Tensor, Tensor | None]  # keys, values, and their places where they are not 0, 1, 2 ...


def over(layer: Heads, q: Tensor, k: Tensor, v: Tensor, mask: Mask | None, cache: RaggedCache) -> Float[Tensor, "b h q v"]:
    """The next tokens, turned to their places already, over what is held and each other."""
    prompting = cache.prompt is not None and cache.length < cache.prompt
    found = [taken_in(store, k[:, store.heads], v[:, store.heads]) for store in cache.stores]
    cache.length, cache.held = cache.length + q.shape[2], None
    outs = []
    for reader in cache.arrangement.readers:
        store = cache.stores[reader.store]
        if mask is None and q.shape[2] == 1 and sees_all(layer, reader, store):
            keys, values = (read(x, reader.keys) for x in found[reader.store][:2])
            outs.append(attend(q[:, reader.heads], keys, values, **layer.options(reader.heads, None, None)))
            continue
        rule = both(layer.mask, reader.group.rule if prompting else reader.later)
        rule = both(None if store.evicts else forgets(cache), both(mask, rule))
        outs.append(one(layer, reader, q[:, reader.heads], found[reader.store], rule, cache))
    if prompting:
        cache.hear(q, seen_of(layer, q, k, v, mask).options, layer.site)
    return outs[0] if len(outs) == 1 else torch.cat(outs, dim=1)


def sees_all(layer: Heads, reader: Reader, store: Store) -> bool:
    """Whether the newest token looks at everything that its store holds: most steps need no mask."""
    alike = len(set(store.moved)) == 1 and layer.placed(reader.heads) is None
    return alike and reader.group.band is not None and looks(reader, store) == (0, 0)


def taken_in(store: Store, k: Float[Tensor, "b g t d"], v: Float[Tensor, "b g t v"]) -> Found:
    """All that the new tokens may see of a store, which holds them from now on."""
    start, t = store.count, k.shape[2]
    fits = store.ring is None or start + t <= store.pinned + store.ring
    if fits or t == 1:
        store.hold(k, v)
        return store.keys, store.values, None if fits and store.kept is None and not any(store.pads) else store.places()
    if store.k is None:
        store.hold(k, v)
        return k, v, None
    held = store.places()
    new = torch.arange(start, start + t, device=k.device).expand(*held.shape[:2], t)
    if any(store.pads):
        new = new - torch.tensor(store.pads, device=k.device)[:, None, None]
    keys, values = torch.cat([store.keys, k], dim=2), torch.cat([store.values, v], dim=2)
    store.hold(k, v)
    return keys, values, torch.cat([held, new], dim=2)


def one(layer: Heads, reader: Reader, q: Tensor, found: Found, rule: Mask | None, cache: RaggedCache) -> Float[Tensor, "b n q v"]:
    """The heads of one reader."""
    keys, values, places = found
    keys, values = read(keys, reader.keys), read(values, reader.keys)
    options = layer.options(reader.heads, rule, None)
    if places is None:
        return attend(q, keys, values, **options)
    store = cache.stores[reader.store]
    at_k = across(places, reader.keys, q.shape[1])
    at_q = torch.arange(cache.length - q.shape[2], cache.length, device=q.device)[None]
    if any(store.pads):
        at_q = at_q - torch.tensor(store.pads, device=q.device)[:, None]
    options["mask"] = Dense(allowed(rule, at_q[:, None, :, None], at_k[:, :, None], cache.length))
    position = layer.placed(reader.heads)
    if position is not None:
        options["position"] = None
        line = position.relative(q.shape[1], 1, cache.length, q.device)
        options["bias"] = biases(line, at_q[:, None, :, None], at_k[:, :, None], cache.length)
    return attend(q, keys, values, **options)


def across(places: Int[Tensor, "#b #g n"], keys: Keys, heads: int) -> Int[Tensor, "#b #h n"]:
    """The places of each query head's keys."""
    if places.shape[1] == 1:
        return places
    if isinstance(keys, slice):
        chosen = places[:, keys]
        return chosen.repeat_interleave(heads // chosen.shape[1], dim=1)
    return places[:, list(keys)]


def allowed(rule: Mask | None, at_q: Int[Tensor, "#b 1 t 1"], at_k: Int[Tensor, "#b #h 1 n"], length: int) -> Bool[Tensor, "#b #h t n"]:
    """Which pairs a rule allows, by the places of queries and keys; never a later key."""
    past = at_k <= at_q
    if rule is None:
        return past
    b = torch.arange(1 if rule.batch is None else rule.batch, device=at_q.device)[:, None, None, None]
    h = torch.zeros(1, 1, 1, 1, dtype=torch.long, device=at_q.device)
    return past & rule.allowed(b, h, at_q, at_k.clamp(max=length - 1), Lengths(at_q.shape[2], length))


def biases(line: Float[Tensor, "#h n"] | None, at_q: Int[Tensor, "#b 1 t 1"], at_k: Int[Tensor, "#b #h 1 n"], length: int) -> Tensor | None:
    """What a scheme adds to the scores, read from its line by distance."""
    if line is None:
        return None
    index = (at_k - at_q + length - 1).clamp(0, length - 1)
    head = torch.arange(len(line), device=line.device)[None, :, None, None]
    return line[head, index]


def forgets(cache: RaggedCache) -> Mask | None:
    """What the caller's window leaves, where it wants no more."""
    if cache.window is None:
        return None
    return Window(cache.window) | Sinks(cache.pinned) if cache.pinned else Window(cache.window)


def seen_of(layer: Heads, q: Tensor, k: Tensor, v: Tensor, mask: Mask | None) -> Seen:
    """The call over a whole prompt, as options see it that choose keys by it."""
    options = layer.options(slice(0, q.shape[1]), both(layer.mask, mask), None)
    return Seen(layer.site, q, k, v, options)
