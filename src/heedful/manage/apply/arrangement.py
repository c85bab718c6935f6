"""How the heads of a layer are laid out under a plan: those with one option side by side, those that are dropped left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import final

from heedful.attention.masks.mask import Mask
from heedful.errors import UsageError
from heedful.manage.apply.band import Band, band_of
from heedful.manage.options.option import Option
from heedful.manage.site import Site

Keys = slice | tuple[int, ...]  # key/value heads shared evenly, or one for each query head


@final
@dataclass(frozen=True)
class Group:
    """Query heads `heads` that are computed in one call, with the keys they read.

    `rule` is what the plan adds to the layer's own mask; `band` is what the two leave together, where that is one.
    """

    heads: slice
    keys: Keys
    rule: Mask | None
    band: Band | None


@final
@dataclass(frozen=True)
class Keeping:
    """What a cache keeps for some key/value heads: the newest `ring` keys (None: all) and the first `pinned`.

    `after`: the pass itself keeps all; when it is done this option throws keys out.
    """

    pinned: int = 0
    ring: int | None = None
    after: Option | None = None


@final
@dataclass(frozen=True)
class Reader:
    """Some of the heads of a group: those whose keys are in one store, as the store counts them.

    `later` is what the plan adds to the layer's own mask in steps after the prompt.
    """

    group: Group
    heads: slice
    store: int
    keys: Keys
    later: Mask | None


@final
@dataclass(frozen=True)
class Arrangement:
    """A layer's heads in their new order, as numbers of the old one, and who is computed and kept together."""

    queries: tuple[int, ...]
    keys: tuple[int, ...]
    groups: tuple[Group, ...]
    stores: tuple[tuple[slice, Keeping], ...]
    readers: tuple[Reader, ...]
    reads: tuple[int, ...]  # of each query head, its key/value head, in the new order

    @classmethod
    def of(cls, site: Site, options: Sequence[Option], own: Mask | None) -> Arrangement:
        """The arrangement of a site whose query head i has option i, under the layer's own mask.

        >>> from heedful.manage.options.table import parse
        >>> site = Site(0, "layer", heads=4, kv_heads=2, d=8, v=8, causal=True)
        >>> found = Arrangement.of(site, [parse(name) for name in ("window(8,1)", "drop", "full", "full")], None)
        >>> found.queries, found.keys, [group.heads for group in found.groups]
        ((2, 3, 0), (1, 0), [slice(0, 2, None), slice(2, 3, None)])
        """
        alive = [head for head, option in enumerate(options) if not option.drops]
        readers = {key: [head for head in alive if site.group(head) == key] for key in range(site.kv_heads)}
        readers = {key: heads for key, heads in readers.items() if heads}
        ranks = {head: rank(options[head], site.causal) for head in alive}
        keepings = {key: keeping(site, heads, options, own) for key, heads in readers.items()}
        order = {key: str(keeping(site, heads, options, None)) for key, heads in readers.items()}  # whatever the layer's own mask is
        keys = sorted(readers, key=lambda key: (min(ranks[head] for head in readers[key]), order[key], key))
        at = {key: place for place, key in enumerate(keys)}
        queries = sorted(alive, key=lambda head: (ranks[head], at[site.group(head)], head))
        reads = tuple(at[site.group(head)] for head in queries)
        groups = tuple(grouped(site, [options[head] for head in queries], reads, own))
        stores = tuple((run, keepings[keys[run.start]]) for run in runs([keepings[key] for key in keys]))
        return cls(tuple(queries), tuple(keys), groups, stores, tuple(readers_of(groups, stores, reads)), reads)


def rank(option: Option, causal: bool) -> tuple[float, str]:
    """The order of options in a pass: all, then the widest band, then rules that are no bands, by name."""
    rule = option.mask(causal)
    band = band_of(rule)
    if band is None:
        return 1.0, option.name
    return -float("inf") if band.size is None else -float(band.size), "" if rule is None else str(rule)


def grouped(site: Site, options: Sequence[Option], reads: Sequence[int], own: Mask | None) -> list[Group]:
    """The runs of heads with one rule."""
    found = []
    for run in runs([rank(option, site.causal) for option in options]):
        rule = options[run.start].mask(site.causal)
        own_band, band = band_of(own), band_of(rule)
        both = None if own_band is None or band is None else own_band.both(band)
        found.append(Group(run, shared(reads[run]), rule, both))
    return found


def readers_of(groups: Sequence[Group], stores: Sequence[tuple[slice, Keeping]], reads: Sequence[int]) -> list[Reader]:
    """The groups, cut where another store begins."""
    store_of = [number for number, (run, _) in enumerate(stores) for _ in range(run.start, run.stop)]
    found = []
    for group in groups:
        for run in runs([store_of[key] for key in reads[group.heads]]):
            heads = slice(group.heads.start + run.start, group.heads.start + run.stop)
            store = store_of[reads[heads.start]]
            first, after = stores[store][0].start, stores[store][1].after
            later = group.rule if after is None else after.later()
            found.append(Reader(group, heads, store, shared([key - first for key in reads[heads]]), later))
    return found


def keeping(site: Site, heads: Sequence[int], options: Sequence[Option], own: Mask | None) -> Keeping:
    """What is kept of a key/value head for the query heads that read it: the widest of what they need."""
    wanted = [options[head] for head in heads]
    after = next((option for option in wanted if option.shared), None)
    if after is not None:
        if any(option != after for option in wanted):
            names = ", ".join(sorted({option.name for option in wanted}))
            raise UsageError(
                f"{site.name}: query heads {heads[0]} to {heads[-1]} share their keys, and a cache keeps them together: "
                f"found {names}; one of these for all of them would work"
            )
        ring = band_of(after.later()) if after.ring else None
        return Keeping(0 if ring is None else ring.sinks, None if ring is None else ring.size, after)
    found, own_band = [band_of(option.mask(site.causal)) for option in wanted], band_of(own)
    both = [None if band is None or own_band is None else own_band.both(band) for band in found]
    bands = [band for band in both if band is not None and band.size is not None]
    if len(bands) == len(wanted):
        return Keeping(max(band.sinks for band in bands), max(band.size or 0 for band in bands))
    if own_band is not None and own_band.size is not None:
        return Keeping(own_band.sinks, own_band.size)
    return Keeping()


def runs(values: Sequence[object]) -> list[slice]:
    """The runs of equal values.

    >>> runs("aab")
    [slice(0, 2, None), slice(2, 3, None)]
    """
    found, start = [], 0
    for _, run in groupby(values):
        stop = start + sum(1 for _ in run)
        found.append(slice(start, stop))
        start = stop
    return found


def shared(reads: Sequence[int]) -> Keys:
    """The key/value heads that query heads read: a slice where the queries are spread evenly over neighbours.

    >>> shared([2, 2, 3, 3]), shared([0, 1, 1])
    (slice(2, 4, None), (0, 1, 1))
    """
    found = sorted(set(reads))
    each, left = divmod(len(reads), len(found))
    even = not left and [key for key in found for _ in range(each)] == list(reads)
    return slice(found[0], found[-1] + 1) if even and found[-1] - found[0] + 1 == len(found) else tuple(reads)
