"""Linear attention in one sweep: the two sums once for all queries, or, causal, as running sums (2006.16236, eq. 5 and 9)."""

from __future__ import annotations

from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor

from heedful.attention.linear.state import State, absorb, divide, read, squared


def parallel(
    q: Float[Tensor, "b h q f"], k: Float[Tensor, "b g k f"], v: Float[Tensor, "b g k v"], causal: bool, state: State
) -> tuple[Float[Tensor, "b h q v"], State]:
    """Linear in the length; the causal form holds a state for every position, (b, g, t, f, v)."""
    if not causal:
        after = absorb(k, v, state)
        return divide(*read(q, after)), after
    k, v, before = squared(k, v, q.shape[2], state)
    s = before.s[:, :, None] + einsum(k, v, "b g t f, b g t v -> b g t f v").cumsum(dim=2)
    z = before.z[:, :, None] + k.cumsum(dim=2)
    grouped = rearrange(q, "b (g r) t f -> b g t r f", g=k.shape[1])
    values, weights = grouped @ s, (grouped @ z[..., None])[..., 0]
    out = rearrange(divide(values, weights), "b g t r v -> b (g r) t v")
    return out, State(s[:, :, -1], z[:, :, -1]) if q.shape[2] else before
