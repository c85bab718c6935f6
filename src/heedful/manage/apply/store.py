"""The keys and values of some key/value heads that keep alike: pinned slots that stay, then slots that go on or are a ring.

Token n of a sequence is token n + `moved` of its row here: padding is not stored, and what a cache threw out leaves no gap. Slots
are filled in order, so that a ring takes no more memory than there are tokens until it is full.
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from heedful.errors import UsageError
from heedful.layers.cache.cache import check_fits
from heedful.manage.apply.arrangement import Keeping

NEVER = 1 << 40  # the place of a slot that holds nothing: later than any query
SPARE = 64  # slots


@final
class Store:
    """Empty, until `fill` or `hold`.

    >>> store, x = Store(slice(0, 2), Keeping(pinned=1, ring=2)), torch.arange(5.0)[None, None, :, None].expand(1, 2, 5, 1)
    >>> store.fill(x, x)
    >>> store.keys[0, 0, :, 0].tolist(), store.places().tolist(), store.bytes
    ([0.0, 3.0, 4.0], [[[0, 3, 4]]], 48)
    """

    k: Tensor | None
    v: Tensor | None
    kept: Int[Tensor, "b g n"] | None  # places of the tokens in the first slots, once a cache threw others out
    pads: list[int]  # of each row, how many of its tokens are padding
    moved: list[int]  # of each row, what is added to a token's number

    def __init__(self, heads: slice, keeping: Keeping) -> None:
        self.heads, self.keeping = heads, keeping
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.k = self.v = self.kept = None
        self.count, self.complete_from, self.pads, self.moved = 0, 0, [], []
        self.pinned, self.ring = 0, None if self.keeping.after is not None else self.keeping.ring
        if self.ring is not None:
            self.pinned = self.keeping.pinned

    @property
    def evicts(self) -> bool:
        """Whether it throws keys out once and then goes on, whatever window a caller asks for."""
        return self.keeping.after is not None and self.keeping.ring is None

    @property
    def filled(self) -> list[int]:
        """How many slots of each row hold something."""
        return [self.slots(self.count + moved) for moved in self.moved]

    def slots(self, tokens: int) -> int:
        """How many slots that many tokens take."""
        return tokens if self.ring is None else min(tokens, self.pinned + self.ring)

    def slot(self, token: int) -> int:
        """Where a row's token lives."""
        return token if self.ring is None or token < self.pinned else self.pinned + (token - self.pinned) % self.ring

    @property
    def keys(self) -> Float[Tensor, "b g n d"]:
        """The keys of all slots in use."""
        assert self.k is not None
        return self.k[:, :, : max(self.filled, default=0)]

    @property
    def values(self) -> Float[Tensor, "b g n v"]:
        """The values of all slots in use."""
        assert self.v is not None
        return self.v[:, :, : max(self.filled, default=0)]

    @property
    def bytes(self) -> int:
        """What the keys and values that are held take."""
        if self.k is None or self.v is None:
            return 0
        a_slot = self.k.shape[1] * (self.k.shape[3] * self.k.element_size() + self.v.shape[3] * self.v.element_size())
        return sum(self.filled) * a_slot

    @property
    def allocated(self) -> int:
        """What the buffers take, room for tokens to come included."""
        return sum(x.nbytes for x in (self.k, self.v) if x is not None)

    def places(self) -> Int[Tensor, "#b #g n"]:
        """Where the token of each slot stands in its row, padding not counted; `NEVER` for a slot that holds nothing."""
        assert self.k is not None
        n = max(self.filled)
        slot = torch.arange(n, device=self.k.device)
        if self.kept is None and len(set(self.moved)) == 1:
            return self.place_of(slot, self.count + self.moved[0])[None, None]
        rows = torch.stack(
            [self.place_of(slot, self.count + moved, -moved - pads) for moved, pads in zip(self.moved, self.pads, strict=True)]
        )
        if self.kept is None:
            return rows[:, None]
        rows, kept = rows[:, None].expand(-1, self.kept.shape[1], -1), self.kept[..., :n]
        held = kept.shape[2]
        return torch.cat([torch.where(kept == NEVER, rows[..., :held], kept), rows[..., held:]], dim=2)

    def place_of(self, slot: Int[Tensor, " n"], tokens: int, back: int = 0) -> Int[Tensor, " n"]:
        """The place of the newest token in each slot of a row that holds `tokens`, `back` added."""
        if self.ring is not None:
            newest = tokens - 1 - (tokens - 1 - slot) % self.ring
            slot = torch.where(slot < self.pinned, slot, newest)
            return slot.masked_fill((slot >= tokens) | (slot < 0), NEVER)
        return (slot + back).masked_fill(slot >= tokens, NEVER)

    def fill(self, k: Float[Tensor, "b g t d"], v: Float[Tensor, "b g t v"], real: Bool[Tensor, "b t"] | None = None) -> None:
        """The first tokens, all at once; those that `real` marks as padding are left out."""
        self.count, self.kept = k.shape[2], None
        self.pads = [0] * len(k) if real is None else (~real).sum(1).tolist()
        self.moved = [-pads for pads in self.pads]
        self.complete_from = 0 if self.ring is None else max(0, self.count - self.ring)
        index = self.sources(k, real)
        self.k, self.v = self.laid(k, index), self.laid(v, index)

    def sources(self, k: Tensor, real: Bool[Tensor, "b t"] | None) -> Int[Tensor, "#b n"] | None:
        """Of each slot, the token that it gets: of a row, if rows differ; None where token i is in slot i."""
        filled = self.filled
        if real is None and filled[0] == self.count:
            return None
        slot = torch.arange(max(filled), device=k.device)
        rows = torch.stack([self.place_of(slot, self.count - pads) for pads in (self.pads if real is not None else [0])])
        if real is None:
            return rows
        order = real.byte().argsort(dim=1, descending=True, stable=True)
        return order.gather(1, rows.clamp(max=self.count - 1))

    def laid(self, x: Float[Tensor, "b g t d"], index: Int[Tensor, "#b n"] | None) -> Float[Tensor, "b g room d"]:
        """A buffer with the chosen tokens in its first slots."""
        n = x.shape[2] if index is None else index.shape[1]
        buffer = self.blank(x, self.room(n, SPARE))
        if index is None:
            buffer[:, :, :n] = x
        elif len(index) == 1:
            buffer[:, :, :n] = x.index_select(2, index[0])
        else:
            buffer[:, :, :n] = x.gather(2, index[:, None, :, None].expand(-1, x.shape[1], -1, x.shape[3]))
        return buffer

    def blank(self, x: Float[Tensor, "b g t d"], room: int) -> Float[Tensor, "b g room d"]:
        """A buffer to be filled; where rows are of different lengths, the slots that only some rows fill are numbers for the others."""
        shape = (*x.shape[:2], room, x.shape[3])
        return x.new_empty(shape) if len(set(self.moved)) == 1 else x.new_zeros(shape)

    def grown(self, x: Float[Tensor, "b g n d"], held: int, room: int) -> Float[Tensor, "b g room d"]:
        """A buffer of more slots with the same in the first of them."""
        buffer = self.blank(x, room)
        buffer[:, :, :held] = x[:, :, :held]
        return buffer

    def room(self, slots: int, spare: int) -> int:
        """How many slots are reserved where so many are needed."""
        wanted = slots + spare
        return wanted if self.ring is None else min(wanted, self.pinned + self.ring)

    def ready(self, tokens: int = 1) -> bool:
        """Make room for tokens to come; whether the buffers have moved."""
        assert self.k is not None
        assert self.v is not None
        needed = self.slots(self.count + tokens + max(self.moved))
        frozen = self.k.is_inference() and not torch.is_inference_mode_enabled()
        if needed <= self.k.shape[2] and not frozen:
            return False
        held = max(self.filled)
        self.k, self.v = (self.grown(x, held, self.room(needed, max(SPARE, needed // 8))) for x in (self.k, self.v))
        return True

    def hold(self, k: Float[Tensor, "b g t d"], v: Float[Tensor, "b g t v"]) -> None:
        """The next tokens."""
        if self.k is None or self.v is None:
            return self.fill(k, v)
        check_fits(self.k, k)
        check_fits(self.v, v)
        t = k.shape[2]
        self.ready(t)
        for rows, moved in self.alike():
            token = torch.arange(self.count + moved, self.count + moved + t, device=k.device)
            stays = token if self.ring is None else token[(token < self.pinned) | (token >= token[-1] + 1 - self.ring)]
            slot = stays if self.ring is None else torch.where(stays < self.pinned, stays, self.pinned + (stays - self.pinned) % self.ring)
            for buffer, new in ((self.k, k), (self.v, v)):
                buffer[rows].index_copy_(2, slot, new[rows].index_select(2, stays - token[0]))
        self.passed(t)
        return None

    def passed(self, tokens: int) -> None:
        """Count tokens that were stored."""
        self.count += tokens
        if self.ring is not None:
            self.complete_from = max(self.complete_from, self.count - self.ring)

    def alike(self) -> list[tuple[slice, int]]:
        """Rows whose tokens are numbered alike."""
        if len(set(self.moved)) == 1:
            return [(slice(None), self.moved[0])]
        return [(slice(row, row + 1), moved) for row, moved in enumerate(self.moved)]

    def settle(self, k: Tensor, v: Tensor, kept: Int[Tensor, "b g n"] | None, real: Bool[Tensor, "b t"] | None = None) -> None:
        """The pass is done: of its keys and values stay those that the option keeps."""
        if self.keeping.ring is not None:
            self.pinned, self.ring = self.keeping.pinned, self.keeping.ring
        if kept is None or self.ring is not None:
            return self.fill(k, v, real)
        t, n = k.shape[2], kept.shape[2]
        self.count, self.pads = t, [0] * len(k) if real is None else (~real).sum(1).tolist()
        self.moved = [min(n, t - pads) - t for pads in self.pads]
        place = kept
        if real is not None:
            place = (real.long().cumsum(1) - 1)[:, None].expand(-1, kept.shape[1], -1).gather(2, kept)
            padding = ~real[:, None].expand(-1, kept.shape[1], -1).gather(2, kept)
            order = padding.byte().argsort(dim=2, stable=True)
            kept, place = kept.gather(2, order), place.masked_fill(padding, NEVER).gather(2, order)
        self.kept = place
        self.k, self.v = (self.grown(x.gather(2, kept[..., None].expand(-1, -1, -1, x.shape[3])), n, self.room(n, SPARE)) for x in (k, v))
        return None

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        if self.k is None or self.v is None:
            return
        self.k, self.v = self.k.index_select(0, index), self.v.index_select(0, index)
        self.kept = None if self.kept is None else self.kept.index_select(0, index)
        rows = index.tolist()
        self.pads, self.moved = [self.pads[row] for row in rows], [self.moved[row] for row in rows]

    def check_crop(self, length: int) -> None:
        """Refuse where the next token would see what is gone."""
        gone = self.count if self.kept is not None and length < self.evicted_at else 0
        if gone:
            raise UsageError(
                f"crop({length}): keys were thrown out after token {self.evicted_at}; {self.evicted_at} or more, or reset(), would work"
            )
        if self.ring is not None and self.complete_from > self.pinned and length < self.complete_from + self.ring - 1:
            raise UsageError(
                f"crop({length}) on a ring of {self.ring}: tokens before {self.complete_from} are overwritten, and token {length} "
                f"would see them; {self.complete_from + self.ring - 1} or more, or reset(), would work"
            )

    @property
    def evicted_at(self) -> int:
        """How long the pass was after which keys were thrown out; 0 where none were."""
        return 0 if self.kept is None else self.kept.shape[2] - max(moved for moved in self.moved)

    def crop(self, length: int) -> None:
        """Forget the tokens from `length` on, where `check_crop` has nothing against it."""
        self.count = length
        if length == 0:
            self.reset()
