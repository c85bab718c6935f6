"""torch's masks, in which True (or -inf) keeps out, as ours, in which True lets in, and as what is added to the scores."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from heedful.attention.masks.dense import Dense
from heedful.attention.masks.mask import Mask
from heedful.errors import ShapeError, UsageError
from heedful.layers.widths import Widths

Shapes = dict[tuple[int, ...], tuple[int, ...]]


def added(
    attn_mask: Tensor | None, key_padding_mask: Tensor | None, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b h k d"]
) -> tuple[Mask | None, Tensor | None]:
    """`attn_mask` (q, k) or (b h, q, k) and `key_padding_mask` (b, k), each of booleans or of floats, as a mask and a bias."""
    b, h, q_len, k_len = *q.shape[:3], k.shape[2]
    of_pairs: Shapes = {(q_len, k_len): (1, 1, q_len, k_len), (b * h, q_len, k_len): (b, h, q_len, k_len)}
    of_keys: Shapes = {(b, k_len): (b, 1, 1, k_len)}
    shut, bias = None, None
    for name, found, shapes in (("attn_mask", attn_mask, of_pairs), ("key_padding_mask", key_padding_mask, of_keys)):
        if found is None:
            continue
        table = shaped(name, found, shapes)
        if table.dtype == torch.bool:
            shut = table if shut is None else shut | table
        elif table.is_floating_point():
            bias = table if bias is None else bias + table
        else:
            raise UsageError(f"{name} holds booleans or floats: found {table.dtype}")
    return None if shut is None else Dense(~shut), None if bias is None else bias.to(q.dtype)


def shaped(name: str, found: Tensor, shapes: Shapes) -> Tensor:
    """The table with its four axes; refused where it is of no shape that torch takes."""
    four = shapes.get(tuple(found.shape))
    if four is None:
        raise ShapeError(f"{name} has the shape {' or '.join(map(str, shapes))} for these inputs: found {tuple(found.shape)}")
    return found.reshape(four)


def check_inputs(widths: Widths, query: Tensor, key: Tensor, value: Tensor) -> None:
    """Inputs of two axes or three, all alike, of the widths the layer was made for."""
    ranks = {each.dim() for each in (query, key, value)}
    if ranks not in ({2}, {3}):
        raise ShapeError(f"query, key and value are all (t, width) or all with a batch: found {shapes_of(query, key, value)}")
    if (query.shape[-1], key.shape[-1], value.shape[-1]) != (widths.dim, widths.key_dim, widths.value_dim):
        wanted = f"query {widths.dim}, key {widths.key_dim} and value {widths.value_dim} wide"
        raise ShapeError(f"this layer takes {wanted}: found {shapes_of(query, key, value)}")
    if key.shape[:-1] != value.shape[:-1]:
        raise ShapeError(f"key and value have one length and batch: found {shapes_of(query, key, value)}")


def shapes_of(query: Tensor, key: Tensor, value: Tensor) -> str:
    """The three shapes, for a message."""
    return f"query {tuple(query.shape)}, key {tuple(key.shape)}, value {tuple(value.shape)}"
