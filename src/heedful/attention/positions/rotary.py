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
    head, rest = x[..., :width], x[..., width:]
    pairs = "... (f two) -> two ... f" if interleaved else "... (two f) -> two ... f"
    a, b = rearrange(head.to(torch.promote_types(x.dtype, torch.float32)), pairs, two=2)
    turned = [a * cos - b * sin, b * cos + a * sin]
    joined = torch.stack(turned, dim=-1).flatten(-2) if interleaved else torch.cat(turned, dim=-1)
    return torch.cat([joined.to(x.dtype), rest], dim=-1) if rest.shape[-1] else joined.to(x.dtype)
