"""The size checks that scores with parameters share, and the slicing of tables over positions."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.attention.scores.score import Score
from heedful.errors import ShapeError


def check_heads(score: Score, q: Float[Tensor, "b h q d"], heads: int) -> None:
    """Refuse queries whose heads the score was not made for."""
    if q.shape[1] != heads:
        raise ShapeError(f"{type(score).__name__} was made for {heads} heads: found q {tuple(q.shape)}, {q.shape[1]} heads")


def check_width(score: Score, q: Float[Tensor, "b h q d"], k: Float[Tensor, "b g k e"], d_q: int, d_k: int) -> None:
    """Refuse queries or keys whose width the score was not made for."""
    if q.shape[-1] != d_q or k.shape[-1] != d_k:
        raise ShapeError(
            f"{type(score).__name__} was made for queries {d_q} wide and keys {d_k} wide: found q {tuple(q.shape)}, k {tuple(k.shape)}"
        )


def first_row(q_len: int, k_len: int, align: str) -> int:
    """The table row of query 0: its position under align="end" (the last query at the last key), else 0."""
    return max(k_len - q_len, 0) if align == "end" else 0


def check_table(score: Score, lengths: tuple[int, int], sizes: tuple[int, int], align: str) -> None:
    """Refuse (q, k) lengths beyond a table of `sizes` over positions."""
    rows = first_row(*lengths, align) + lengths[0]
    if rows > sizes[0] or lengths[1] > sizes[1]:
        raise ShapeError(
            f"{type(score).__name__} holds {sizes[0]} query and {sizes[1]} key positions: found q {lengths[0]}, k {lengths[1]}; "
            "larger sizes or a relative table (radius=) would work"
        )


def distance(q_len: int, k_len: int, radius: int, device: torch.device) -> Int[Tensor, "q k"]:
    """i - j held within ±radius and shifted to 0 ... 2·radius, for tables of relative positions."""
    q = torch.arange(q_len, device=device) + (k_len - q_len)
    k = torch.arange(k_len, device=device)
    return (q[:, None] - k[None, :]).clamp(-radius, radius) + radius
