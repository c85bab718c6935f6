"""The ragged cache of a layer: of each key/value head as many keys as its option keeps, at their true places."""

from __future__ import annotations

from dataclasses import replace
from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from heedful.attention.native import ragged
from heedful.attention.resolve import Options
from heedful.errors import UsageError
from heedful.layers.cache.cache import Past, check_crop
from heedful.manage.apply.arrangement import Arrangement, Keeping, Reader
from heedful.manage.apply.drawn import by_columns, with_columns
from heedful.manage.apply.store import Store
from heedful.manage.seen import BY_HEAD, Seen, picked
from heedful.manage.site import Site


@final
class RaggedCache(Past):
    """One store for each run of key/value heads that keep alike.

    The first call is the prompt: when it is done, options that evict throw keys out, once. A prompt that comes in pieces says
    how long it is (`prompt = n`) before the first of them.
    """

    def __init__(self, arrangement: Arrangement, window: int | None = None, sinks: int = 0) -> None:
        self.arrangement = arrangement
        self.stores = [Store(heads, narrowed(keeping, window, sinks)) for heads, keeping in arrangement.stores]
        self.window, self.sinks = window, sinks
        self.prompt: int | None = None
        self.asked: list[Tensor] = []
        self.held: ragged.Held | None = None
        self.columns: dict[int, Tensor] = {}  # by the first of some heads, what each key of the prompt drew of theirs
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.length, self.held, self.asked, self.columns = 0, None, [], {}
        for store in self.stores:
            store.reset()

    @property
    def pinned(self) -> int:
        """How many first tokens stay whatever the caller's window is, in some store or other."""
        return max([self.sinks, *(store.keeping.pinned for store in self.stores)])

    @property
    def bytes(self) -> int:
        """What the keys and values that are held take."""
        return sum(store.bytes for store in self.stores)

    @property
    def allocated(self) -> int:
        """What the buffers take, room for tokens to come included."""
        return sum(store.allocated for store in self.stores)

    def ends(self, tokens: int) -> bool:
        """Whether the prompt is done with the next `tokens`."""
        if self.prompt is None:
            return self.length == 0
        return self.length < self.prompt <= self.length + tokens

    def fits(self, q: Float[Tensor, "b h t d"]) -> bool:
        """Whether what is held is of the batch and type of these queries."""
        held = self.stores[0].k
        return held is not None and held.dtype == q.dtype and held.shape[0] == q.shape[0]

    def wanted(self, length: int) -> list[bool]:
        """Of each query head, whether what its keys draw in a prompt of that length will be asked for."""
        of_store = [by_columns(store.keeping.after, length) for store in self.stores for _ in range(store.heads.start, store.heads.stop)]
        return [of_store[key] for key in self.arrangement.reads]

    def hold(self, k: Float[Tensor, "b g t d"], v: Float[Tensor, "b g t v"]) -> None:
        """Keep the next tokens of all heads, (b, g, t, d) in the layer's order."""
        for store in self.stores:
            store.hold(k[:, store.heads], v[:, store.heads])
        self.length, self.held = self.length + k.shape[2], None

    def open(self, seen: Seen, real: Bool[Tensor, "b t"] | None = None) -> None:
        """Keep what the stores keep of a whole prompt; `seen` is the call over it, `real` its tokens that are no padding."""
        for store in self.stores:
            k, v = seen.k[:, store.heads], seen.v[:, store.heads]
            if store.keeping.after is None:
                store.fill(k, v, real)
            else:
                store.settle(k, v, self.kept(store, seen), real)
        self.length, self.held = seen.k.shape[2], None
        self.columns.clear()

    def hear(self, q: Float[Tensor, "b h t d"], options: Options, site: Site) -> None:
        """A piece of a prompt, whose keys are held already; with the last piece the stores settle."""
        self.asked.append(q)
        if self.prompt is None or self.length < self.prompt:
            return
        queries = torch.cat(self.asked, dim=2)
        self.asked = []
        for store in self.stores:
            if store.keeping.after is not None:
                k, v = store.keys.clone(), store.values.clone()
                whole = spread(k, store.heads, len(self.arrangement.keys)), spread(v, store.heads, len(self.arrangement.keys))
                seen = Seen(site, queries, *whole, options)
                store.settle(k, v, self.kept(store, seen))
        self.held = None

    def kept(self, store: Store, seen: Seen) -> Int[Tensor, "b g n"] | None:
        """The keys that a store's option keeps after the pass."""
        option, length = store.keeping.after, seen.k.shape[2]
        if option is None or option.ring or option.kept(length) >= length:
            return None
        with torch.no_grad():
            parts = [option.keep(self.told(part, heads), length) for part, heads in self.parts(store, seen)]
        found = [part for part in parts if part is not None]
        return torch.cat(found, dim=1) if found else None

    def told(self, seen: Seen, heads: list[int]) -> Seen:
        """The call, with what its keys drew where the pass has found it."""
        for start, columns in self.columns.items():
            if start <= heads[0] and heads[-1] < start + columns.shape[1]:
                return with_columns(seen, columns[:, heads[0] - start : heads[-1] + 1 - start])
        return seen

    def parts(self, store: Store, seen: Seen) -> list[tuple[Seen, list[int]]]:
        """The call at a store's heads, and which they are: in one if the queries are spread evenly, else one for each key/value head."""
        heads = range(store.heads.start, store.heads.stop)
        reads = self.arrangement.reads
        each = [[query for query, key in enumerate(reads) if key == head] for head in heads]
        if len({len(queries) for queries in each}) == 1:
            every = [query for queries in each for query in queries]
            return [(seen_by(seen, every, heads), every)]
        return [(seen_by(seen, queries, range(head, head + 1)), queries) for queries, head in zip(each, heads, strict=True)]

    def readers(self) -> ragged.Held:
        """What the library is told, made anew whenever buffers or counts other than the length have changed."""
        moved = [store.ready() for store in self.stores]
        held = self.held
        if held is None or any(moved):
            rows = range(len(self.stores[0].moved))
            listed = [entry for row in rows for entry in entries(self.arrangement, self.stores, row)]
            self.held = held = ragged.Held(ragged.table(listed), len(listed) // max(len(rows), 1), 0)
        held.length = self.length
        return held

    def stepped(self) -> None:
        """Count a token that the library has stored."""
        for store in self.stores:
            store.passed(1)
        self.length += 1

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        for store in self.stores:
            store.reorder(index)
        self.asked = [q.index_select(0, index) for q in self.asked]
        self.held = None

    def crop(self, length: int) -> None:
        """Forget the tokens from position `length` on; refused where what the next one would see is gone."""
        check_crop(length, self.length)
        if length == 0:
            return self.reset()
        if self.asked:
            raise UsageError(f"crop({length}) within a prompt of {self.prompt} tokens that is not whole yet: reset() would work")
        for store in self.stores:
            store.check_crop(length)
        for store in self.stores:
            store.crop(length)
        self.length, self.held = length, None
        return None


def narrowed(keeping: Keeping, window: int | None, sinks: int) -> Keeping:
    """What is kept where no more than the latest `window` tokens are wanted, and the first `sinks`; what a plan pins stays."""
    if window is None:
        return keeping
    ring = window if keeping.ring is None else min(window, keeping.ring)
    evicts = keeping.after is not None and not keeping.after.ring
    return keeping if evicts else Keeping(max(keeping.pinned, sinks), ring, keeping.after)


def seen_by(seen: Seen, queries: list[int], keys: range) -> Seen:
    """The call of some query heads that read neighbouring key/value heads evenly."""
    site = replace(seen.site, heads=len(queries), kv_heads=len(keys))
    index = torch.tensor(queries, device=seen.q.device)
    options = {name: picked(value, index) if name in BY_HEAD else value for name, value in seen.options.items()}
    run = slice(keys.start, keys.stop)
    return Seen(site, seen.q[:, queries], seen.k[:, run], seen.v[:, run], options)  # type: ignore[arg-type]  # the same options


def spread(x: Float[Tensor, "b n t d"], heads: slice, total: int) -> Float[Tensor, "b g t d"]:
    """Some heads in their places among all, the others zero."""
    whole = x.new_zeros(x.shape[0], total, *x.shape[2:])
    whole[:, heads] = x
    return whole


def entries(arrangement: Arrangement, stores: list[Store], row: int) -> list[ragged.Reader]:
    """The readers of one sequence: for each, and each key/value head it reads, the query heads that do."""
    found: list[ragged.Reader] = []
    written: set[int] = set()
    for reader in arrangement.readers:
        store = stores[reader.store]
        for heads, key in shares(reader):
            k, v, number = store.k, store.v, store.heads.start + key
            assert k is not None
            assert v is not None
            sinks, window = looks(reader, store)
            at = k[row, key].data_ptr(), v[row, key].data_ptr()
            place = (store.pinned, store.ring or 0, store.moved[row], heads.start, heads.stop - heads.start)
            found.append(ragged.Reader(*at, *place, number, sinks, window, number not in written))
            written.add(number)
    return found


def shares(reader: Reader) -> list[tuple[slice, int]]:
    """Runs of a reader's query heads with one key/value head, as its store counts them."""
    count = reader.heads.stop - reader.heads.start
    keys = reader.keys
    if isinstance(keys, slice):
        each = count // (keys.stop - keys.start)
        return [(slice(reader.heads.start + i * each, reader.heads.start + (i + 1) * each), keys.start + i) for i in range(count // each)]
    found: list[tuple[slice, int]] = []
    for place, key in enumerate(keys, start=reader.heads.start):
        if found and found[-1][1] == key:
            found[-1] = (slice(found[-1][0].start, place + 1), key)
        else:
            found.append((slice(place, place + 1), key))
    return found


def looks(reader: Reader, store: Store) -> tuple[int, int]:
    """Sinks and window of what a reader sees of its store; window 0 for all that it holds."""
    band = reader.group.band
    assert band is not None
    if band.size is None:
        return 0, 0
    size = band.size if store.ring is None else min(band.size, store.ring)
    return (0, 0) if (size, band.sinks) == (store.ring, store.pinned) else (band.sinks, size)
