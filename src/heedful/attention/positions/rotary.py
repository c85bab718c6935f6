"""Turning pairs of features by an angle: the one step that every rotary scheme shares (Su et al. 2021, 2104.09864, eq. 34)."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from heedful.errors import ShapeError


def turn(
    x: Float[Tensor, "*batch t d"], cos: Float[Tensor, "*#batch t f"], sin: Float[Tensor, "*#batch t f"], *, interleaved: bool = False
) -> Float[Tensor, "*batch t d"]:
    """The first 2f features of x turned pair by pair, the rest untouched.

    >>> import torch
    >>> quarter = torch.zeros(1, 2), torch.ones(1, 2)
    >>> turn(torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), *quarter)
    tensor([[-3., -4.,  1.,  2.,  5.]])
    >>> turn(torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]]), *quarter, interleaved=True)
    tensor([[-2.,  1., -4.,  3.,  5.]])

    Args:
        x: (..., t, d), computed in float32 where it is half precision and returned in its own type.
        cos: (..., t, f), broadcasting against x; 2f may be less than d.
        sin: like cos.
        interleaved: pair feature 2i with 2i + 1 (GPT-J) rather than i with i + f (NeoX, Llama).

    Raises:
        ShapeError: there are more angles than pairs of features.
    """
    width = 2 * cos.shape[-1]
    if width > x.shape[-1]:
        raise ShapeError(f"{cos.shape[-1]} angles turn {width} features, but x has {x.shape[-1]}: {x.shape[-1] // 2} or fewer would work")
    whole = width == x.shape[-1]
    head = (x if whole else x[..., :width]).to(torch.promote_types(x.dtype, torch.float32))
    turned = by_pairs(head, cos, sin) if interleaved else by_halves(head, cos, sin)
    return turned.to(x.dtype) if whole else torch.cat([turned.to(x.dtype), x[..., width:]], dim=-1)


def by_pairs(
    x: Float[Tensor, "*batch t d"], cos: Float[Tensor, "*#batch t f"], sin: Float[Tensor, "*#batch t f"]
) -> Float[Tensor, "*batch t d"]:
    """(a, b) -> (a cos - b sin, b cos + a sin) with a and b side by side."""
    a, b = rearrange(x, "... (f two) -> two ... f", two=2)
    return torch.stack([a * cos - b * sin, b * cos + a * sin], dim=-1).flatten(-2)


def by_halves(
    x: Float[Tensor, "*batch t d"], cos: Float[Tensor, "*#batch t f"], sin: Float[Tensor, "*#batch t f"]
) -> Float[Tensor, "*batch t d"]:
    """The same with a in the first half and b in the second: rolled by a half each meets the other, in the fewest passes over x."""
    return x * torch.cat([cos, cos], dim=-1) + x.roll(cos.shape[-1], dims=-1) * torch.cat([-sin, sin], dim=-1)
