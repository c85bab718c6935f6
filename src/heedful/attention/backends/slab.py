"""The keys that a few queries may see, taken out of all of them: slices where the rule is known, and only what they need."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from heedful.attention.call import Call
from heedful.attention.masks.mask import Lengths
from heedful.attention.masks.seen import seen

Place = slice | Int[Tensor, " n"]


@dataclass(slots=True, eq=False)
class Slab:
    """Where the keys stand that are kept, in order, and which pairs of them are allowed: None where all are."""

    places: list[Place]
    allowed: Bool[Tensor, "#b #h q n"] | None

    def of(self, x: Float[Tensor, "b g k d"]) -> list[Float[Tensor, "b g n d"]]:
        """The kept rows of keys or values: views, unless the keys stand apart."""
        return [x[:, :, place] if isinstance(place, slice) else x.index_select(2, place) for place in self.places]

    def columns(self, table: Tensor) -> Tensor:
        """The kept columns of a table (..., k); one that is the same for every key stays as it is."""
        if table.ndim == 0 or table.shape[-1] == 1:
            return table
        kept = [table[..., place] for place in self.places]
        return kept[0] if len(kept) == 1 else torch.cat(kept, dim=-1)

    def spread(self, kept: Tensor, k_len: int) -> Tensor:
        """A table (..., n) over the kept keys as one (..., k) over all: zero elsewhere."""
        full = kept.new_zeros(*kept.shape[:-1], k_len)
        for place, part in zip(self.places, kept.split_with_sizes([size(place) for place in self.places], dim=-1), strict=True):
            full[..., place] = part
        return full


def size(place: Place) -> int:
    """How many keys."""
    return place.stop - place.start if isinstance(place, slice) else place.shape[0]


def slab_of(call: Call) -> Slab:
    """The slab of a call: ranges by the rules that are known, the others evaluated over what those leave."""
    _, _, q_len, k_len = call.sizes
    lengths = Lengths(q_len, k_len)
    if call.mask is not None:
        call.mask.fits(lengths)
    found = seen(call.mask, lengths.offset, k_len - 1, lengths)
    places: list[Place] = [slice(start, stop) for start, stop in found.some] or [slice(0, 0)]
    if call.mask is None or found.some == found.all:
        return Slab(places, None)
    table = call.mask.dense(q_len, k_len, call.q.device)
    return narrowed(places, Slab(places, None).columns(table), k_len)


def narrowed(places: list[Place], allowed: Bool[Tensor, "#b #h #q n"], k_len: int) -> Slab:
    """The slab without the keys that no query sees, where they are most of it and the table can be looked at."""
    count = sum(size(place) for place in places)
    allowed = allowed.expand(-1, -1, -1, count)
    if allowed.is_cuda or torch.compiler.is_compiling() or count < LEAST:
        return Slab(places, allowed)
    live = allowed.any(0).any(0).any(0).nonzero()[:, 0]
    if 2 * live.shape[0] >= count or live.shape[0] == 0:
        return Slab(places, allowed)
    first, last = int(live[0]), int(live[-1])
    near = len(places) == 1 and last + 1 - first == live.shape[0]
    start = places[0].start if isinstance(places[0], slice) else 0
    place: Place = slice(start + first, start + last + 1) if near else Slab(places, None).columns(torch.arange(k_len))[live]
    left = allowed.index_select(-1, live)
    return Slab([place], None if bool(left.all()) else left)


def placed(call: Call, slab: Slab, q: Tensor, k: Tensor) -> tuple[Tensor, list[Tensor], Float[Tensor, "..."] | None]:
    """Queries, and the keys of the slab, at their positions, with what is added to their scores."""
    keys = slab.of(k)
    bias = None if call.bias is None else slab.columns(call.bias)
    if call.position is None:
        return q, keys, bias
    at_q, at_k = call.places()
    at_kept = [at_k[place] for place in slab.places]
    keys = [call.position.rotate(part, at) for part, at in zip(keys, at_kept, strict=True)]
    place = call.position.bias(q.shape[1], at_q, at_kept[0] if len(at_kept) == 1 else torch.cat(at_kept))
    added = bias if place is None else place if bias is None else bias + place
    return call.position.rotate(q, at_q), keys, added


LEAST = 256  # keys; below, looking for those that none sees costs more than attending to them
