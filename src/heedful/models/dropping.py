"""Tokens that an encoder drops on its way: those that received little attention, so that later layers read a shorter text
(Goyal et al. 2020, arXiv 2001.08950; Kim et al. 2021, arXiv 2107.00910)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from einops import repeat
from jaxtyping import Bool, Float, Int
from torch import Tensor

from heedful.attention.attend import attend
from heedful.layers.attention import AttentionLayer


class Left(NamedTuple):
    """The stream of the tokens that go on, how many of each row, and where in the text they stood (padding: anywhere)."""

    x: Float[Tensor, "b k m"]
    lengths: Int[Tensor, " b"]
    places: Int[Tensor, "b k"]

    def back(self, whole: Float[Tensor, "b t m"]) -> Float[Tensor, "b t m"]:
        """The stream of the whole text, these tokens in their places."""
        rows, columns = (torch.arange(self.x.shape[1], device=self.x.device) < self.lengths[:, None]).nonzero(as_tuple=True)
        return whole.index_put((rows, self.places[rows, columns]), self.x[rows, columns])


@contextmanager
def received(layer: AttentionLayer, wanted: bool = True) -> Iterator[list[Float[Tensor, "b k"]]]:
    """Within it each call of the layer adds how much attention its keys received, all heads and queries together; no matrix is kept."""
    found: list[Tensor] = []
    if not wanted:
        yield found
        return
    before = layer.core

    def core(q: Tensor, k: Tensor, v: Tensor, *, return_weights: Any = False, **options: Any) -> Any:
        out, summary = attend(q, k, v, summaries=("columns",), **options)
        found.append(summary.columns.sum(1)[:, : k.shape[2]])
        if return_weights is False:
            return out
        return before(q, k, v, return_weights=return_weights, **options)

    layer.core = core
    try:
        yield found
    finally:
        layer.core = before


def dropped(
    x: Float[Tensor, "b t m"], attention: Float[Tensor, "b t"], real: Bool[Tensor, "b t"] | None, keep: float, places: Int[Tensor, "b t"]
) -> Left:
    """The tokens that were attended to most, in the order of the text: of each row the share `keep` of its real ones, one at least.

    >>> x = torch.arange(4.0)[None, :, None]
    >>> left = dropped(x, torch.tensor([[0.1, 0.9, 0.2, 0.8]]), None, 0.5, torch.arange(4)[None])
    >>> left.x.flatten().tolist(), left.lengths.tolist()
    ([1.0, 3.0], [2])
    """
    rows = torch.full((len(x),), x.shape[1], device=x.device) if real is None else real.sum(1)
    lengths = (keep * rows - 1e-6).ceil().long().clamp(min=1)
    worth = attention if real is None else attention.masked_fill(~real, -1.0)
    most = int(lengths.max())
    top = worth.topk(most, dim=1).indices
    beyond = torch.arange(most, device=x.device) >= lengths[:, None]
    order = top.masked_fill(beyond, x.shape[1]).sort(dim=1).values.clamp(max=x.shape[1] - 1)
    return Left(x.gather(1, repeat(order, "b k -> b k m", m=x.shape[2])), lengths, places.gather(1, order))
