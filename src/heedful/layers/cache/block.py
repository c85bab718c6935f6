"""What a transformer block remembers between steps: its own keys, its context's, and the state of its gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import final

from jaxtyping import Int
from torch import Tensor

from heedful.errors import UsageError
from heedful.layers.cache.cache import Past, check_crop
from heedful.layers.cache.context import ContextCache
from heedful.layers.gates.gate import GateState


@final
@dataclass(slots=True, eq=False)
class BlockCache:
    """`keys` of the self-attention (None where it has none to keep), the `context` of the cross-attention, the `gate`'s state.

    >>> from heedful.layers.cache import KVCache
    >>> BlockCache(KVCache()).length
    0
    """

    keys: Past | None
    context: ContextCache = field(default_factory=ContextCache)
    gate: GateState = field(default_factory=GateState)
    pools: bool = False  # whether the gate's state sums over the past and cannot be cut short
    length: int = 0

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        if self.keys is not None:
            self.keys.reorder(index)
        self.context.reorder(index)
        self.gate = self.gate.reorder(index)

    def crop(self, length: int) -> None:
        """Forget the tokens from position `length` on; the context stays. Refused where the gate has taken them into a sum."""
        check_crop(length, self.length)
        if length == self.length:
            return
        if self.pools and length:
            raise UsageError(
                f"crop({length}): the gate holds sums over {self.length} tokens, which cannot be taken apart; reset() would work"
            )
        if self.keys is not None:
            self.keys.crop(length)
        self.gate = GateState(length, self.gate.kept) if length else GateState()
        self.length = length

    def reset(self) -> None:
        """Forget everything."""
        if self.keys is not None:
            self.keys.reset()
        self.context.reset()
        self.gate, self.length = GateState(), 0
