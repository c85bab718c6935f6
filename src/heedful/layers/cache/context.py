"""The context cache: the keys and values of a fixed context, computed once for all steps of a cross-attention."""

from __future__ import annotations

from typing import final

from jaxtyping import Float, Int
from torch import Tensor

from heedful.errors import UsageError


@final
class ContextCache:
    """Filled by the first call of the layer that sees the context; later calls need no context.

    >>> import torch
    >>> from heedful.layers.multihead import MultiHeadAttention
    >>> layer, cache = MultiHeadAttention(8, 2, context_dim=6), ContextCache()
    >>> first = layer(torch.randn(1, 1, 8), torch.randn(1, 5, 6), cache=cache)
    >>> layer(torch.randn(1, 1, 8), cache=cache).shape, cache.length
    (torch.Size([1, 1, 8]), 5)
    """

    def __init__(self) -> None:
        self._held: tuple[Tensor, Tensor] | None = None

    @property
    def length(self) -> int:
        """How many keys the context has; 0 before it is seen."""
        return 0 if self._held is None else self._held[0].shape[2]

    @property
    def filled(self) -> bool:
        """Whether the context has been seen."""
        return self._held is not None

    def fill(self, k: Float[Tensor, "b g k d"], v: Float[Tensor, "b g k v"]) -> None:
        """Keep the context's keys and values."""
        self._held = (k, v)

    def held(self) -> tuple[Tensor, Tensor]:
        """The keys (b, g, k, d) and values (b, g, k, v)."""
        if self._held is None:
            raise UsageError("the context cache is empty: the first call needs the context, layer(x, context, cache=cache)")
        return self._held

    def reorder(self, index: Int[Tensor, " b"]) -> None:
        """Row i continues row index[i]."""
        if self._held is not None:
            self._held = (self._held[0].index_select(0, index), self._held[1].index_select(0, index))

    def reset(self) -> None:
        """Forget the context."""
        self._held = None
