"""Time between two interactions as a bias of attention (Li et al. 2020, WSDM, TiSASRec; Zhai et al. 2024, arXiv 2402.17152, eq. 3)."""

from __future__ import annotations

from typing import Final, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

MINUTE: Final = 60


@final
class TimeGaps(nn.Module):
    """A learned bias a head for each of `kinds` of time between two places: 0 to 1 minute, to 3, 7, 15 ..., doubling.

    Starts at zero, as if time were not read.

    >>> gaps = TimeGaps(heads=2, kinds=8)
    >>> gaps.kind(torch.tensor([[0, 30, 86_400]])).tolist()
    [[[0, 0, 7], [0, 0, 7], [7, 7, 0]]]
    >>> gaps(torch.tensor([[0, 30, 86_400]])).shape
    torch.Size([1, 2, 3, 3])
    """

    def __init__(self, heads: int, kinds: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(heads, kinds))

    def kind(self, times: Int[Tensor, "b t"]) -> Int[Tensor, "b t t"]:
        """Which kind of time lies between each two places."""
        minutes = (times[:, :, None] - times[:, None, :]).abs().double() / MINUTE
        return torch.log2(minutes + 1).long().clamp(max=self.bias.shape[1] - 1)

    def forward(self, times: Int[Tensor, "b t"]) -> Float[Tensor, "b h t t"]:
        """The bias of every pair of places (seconds)."""
        return self.bias[:, self.kind(times)].transpose(0, 1)


@final
class Ages(nn.Module):
    """A learned bias a head for how many places back a key stands, up to `reach`; zero at the start.

    >>> Ages(heads=2, reach=4)(torch.tensor([[0, 1, 9]])).shape
    torch.Size([2, 1, 3])
    """

    def __init__(self, heads: int, reach: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(heads, reach))

    def forward(self, ages: Int[Tensor, "*q k"]) -> Float[Tensor, "h *q k"]:
        """The bias at each age; what lies ahead is masked elsewhere."""
        return self.bias[:, ages.clamp(0, self.bias.shape[1] - 1)]
