"""What the keys of a pass drew of the attention in it: the evidence by which caches evict."""

from __future__ import annotations

from einops import reduce
from jaxtyping import Float
from torch import Tensor

from heedful.attention.select import Select
from heedful.manage.rows import Rows
from heedful.manage.seen import Seen


def drawn(seen: Seen, length: int) -> Float[Tensor, "b g k"]:
    """The weight that each of the first `length` keys drew from the queries among them, summed over the heads that read it."""
    rows = None if seen.k.shape[2] == length else Rows(0, length)
    _, summary = seen.attend(rows, summaries=("columns",))
    columns: Tensor = reduce(summary.columns[:, :, :length].float(), "b (g r) k -> b g k", "sum", g=seen.k.shape[1])
    return columns


def last_weights(seen: Seen, length: int, window: int) -> Float[Tensor, "b g k"]:
    """The mean weight of the first `length` keys in the last `window` queries among them and in the heads that read it."""
    offset = seen.k.shape[2] - seen.q.shape[2]
    rows = range(max(length - window - offset, 0), length - offset)
    _, weights = seen.attend(Rows(rows.start + offset, length), return_weights=Select(queries=rows))
    mean: Tensor = reduce(weights[..., :length].float(), "b (g r) q k -> b g k", "mean", g=seen.k.shape[1])
    return mean
