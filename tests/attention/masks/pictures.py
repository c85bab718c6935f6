"""Small masks as pictures: `table` reads rows of ■ and □ as booleans."""

from __future__ import annotations

import torch
from torch import Tensor


def table(picture: str) -> Tensor:
    """The booleans (q, k) of a picture whose rows are separated by blanks or line breaks."""
    return torch.tensor([[cell == "■" for cell in line] for line in picture.split()])


def full(mask: Tensor, b: int, h: int, q: int, k: int) -> Tensor:
    """A table of `Mask.dense` with nothing left to broadcast."""
    return mask.expand(b, h, q, k)
