"""Linear attention as a quadratic form, to be read beside Katharopoulos et al. 2020 (2006.16236), eq. 3."""

from __future__ import annotations

from einops import rearrange
from jaxtyping import Float
from torch import Tensor

from heedful.attention.linear.state import State, absorb, divide, read
from heedful.attention.scores.score import dot


def naive(
    q: Float[Tensor, "b h q f"], k: Float[Tensor, "b g k f"], v: Float[Tensor, "b g k v"], causal: bool, state: State
) -> tuple[Float[Tensor, "b h q v"], State]:
    """Σ_j φ(q_i)·φ(k_j) v_j / Σ_j φ(q_i)·φ(k_j), every product written out; q and k are features already."""
    products = dot(q, k)
    if causal:
        products = products.tril(k.shape[2] - q.shape[2])
    grouped = rearrange(products, "b (g r) q k -> b g (r q) k", g=k.shape[1])
    values = rearrange(grouped @ v, "b g (r q) v -> b (g r) q v", r=q.shape[1] // k.shape[1])
    before, weight_before = read(q, state)
    return divide(values + before, products.sum(dim=-1) + weight_before), absorb(k, v, state)
