"""A linear layer that writes to a stream: the sum takes the product's own buffer, which is still in the cache."""

from __future__ import annotations

from typing import final

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear


@final
class Projection(nn.Linear):
    """x -> W x + bias, or, given a stream (..., m), stream + W x + bias.

    >>> import torch
    >>> layer, x, stream = Projection(4, 8), torch.randn(2, 3, 4), torch.randn(2, 3, 8)
    >>> bool((layer(x, stream) == stream + layer(x)).all())
    True
    """

    def forward(self, x: Float[Tensor, "... n"], stream: Float[Tensor, "... m"] | None = None) -> Float[Tensor, "... m"]:
        """The product, or the stream with it in it; the stream itself stays as it is."""
        y = linear(x, self.weight, self.bias)
        if stream is None:
            return y
        # A third buffer as large as the stream costs more than the addition; nobody else has seen this one, and no gradient needs it.
        return y.add_(stream) if y.dtype == stream.dtype else stream + y


def onto(stream: Float[Tensor, "... m"] | None, layer: nn.Module, x: Float[Tensor, "... n"]) -> Float[Tensor, "... m"]:
    """stream + layer(x), whatever has taken the place of a `Projection` (an adapter, a quantised layer); without a stream layer(x)."""
    if stream is None:
        alone: Tensor = layer(x)
        return alone
    joined: Tensor = layer(x, stream) if isinstance(layer, Projection) else stream + layer(x)
    return joined
