"""A bottleneck adapter behind the feed-forward part (Houlsby et al. 2019, arXiv 1902.00751, in the place of Pfeiffer et al. 2021,
arXiv 2005.00247)."""

from __future__ import annotations

from typing import final

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu


@final
class Bottleneck(nn.Module):
    """y + up(gelu(down(y))), `size` units wide; nothing but y at the start.

    >>> import torch
    >>> adapter, y = Bottleneck(32, 4), torch.randn(2, 5, 32)
    >>> torch.equal(adapter(y), y)
    True
    """

    def __init__(self, dim: int, size: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(dim, size), nn.Linear(size, dim)
        nn.init.normal_(self.down.weight, std=0.02)
        nn.init.zeros_(self.down.bias)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, y: Float[Tensor, "... m"]) -> Float[Tensor, "... m"]:
        """The same shape."""
        added: Tensor = self.up(gelu(self.down(y)))
        return y + added
