"""The weights of a few queries, spread over the sequence: what is looked at where the whole matrix would be too large."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, final

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from heedful.attention.masks.dense import Dense
from heedful.attention.masks.mask import Mask
from heedful.attention.resolve import Options
from heedful.attention.select import Select
from heedful.manage.seen import Seen

RUN = 16  # queries beside each other that are looked at together


@final
@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Queries by index, their positions among the keys, their weights, and which keys the layer itself lets them see."""

    queries: Int[Tensor, " s"]
    positions: Int[Tensor, " s"]
    weights: Float[Tensor, "b h s k"]
    visible: Bool[Tensor, "#b #h s k"]

    def hidden(self, mask: Mask | None) -> Bool[Tensor, "#b #h s k"]:
        """Which keys one more mask takes from these queries."""
        if mask is None:
            return torch.zeros_like(self.visible)
        k_len = self.weights.shape[3]
        offset = int(self.positions[0] - self.queries[0])
        rows = [mask.rows(*run, k_len - offset, k_len, self.weights.device) for run in runs(self.queries.tolist())]
        tables = [
            row.expand(*row.shape[:2], stop - start, k_len) for row, (start, stop) in zip(rows, runs(self.queries.tolist()), strict=True)
        ]
        return ~torch.cat(tables, dim=2)


def spread(first: int, stop: int, number: int) -> list[int]:
    """About `number` of the queries first ... stop - 1, in runs at equal distances that begin after the start and include the end.

    >>> spread(0, 10, 100)
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    >>> len(spread(0, 1000, 64)), spread(0, 1000, 64)[-1]
    (64, 999)
    """
    if stop - first <= number:
        return list(range(first, stop))
    parts = max(1, number // RUN)
    ends = [first + round((stop - first) * (part + 1) / parts) for part in range(parts)]
    return sorted({query for end in ends for query in range(max(first, end - RUN), end)})


def runs(queries: list[int]) -> list[tuple[int, int]]:
    """Rising numbers as (start, stop) of pieces without gaps.

    >>> runs([3, 4, 5, 9])
    [(3, 6), (9, 10)]
    """
    starts = [q for i, q in enumerate(queries) if i == 0 or q != queries[i - 1] + 1]
    stops = [q + 1 for i, q in enumerate(queries) if i == len(queries) - 1 or q + 1 != queries[i + 1]]
    return list(zip(starts, stops, strict=True))


def sample(seen: Seen, queries: list[int]) -> Sample:
    """The weights of some queries, by index."""
    parts = [weights_of(seen, start, stop) for start, stop in runs(queries)]
    offset = seen.k.shape[2] - seen.q.shape[2]
    at = torch.tensor(queries, device=seen.q.device)
    weights = torch.cat([weights for weights, _ in parts], dim=2)
    b, h = (max(table.shape[axis] for _, table in parts) for axis in (0, 1))
    visible = torch.cat([table.expand(b, h, *table.shape[2:]) for _, table in parts], dim=2)
    return Sample(at, at + offset, weights, visible)


def weights_of(seen: Seen, start: int, stop: int) -> tuple[Float[Tensor, "b h n k"], Bool[Tensor, "#b #h n k"]]:
    """The weights of the queries start ... stop - 1, and what the layer's own mask shows them."""
    q_len, k_len = seen.q.shape[2], seen.k.shape[2]
    visible = shown(seen, start, stop)
    placed = seen.options.get("position") is not None or not pairwise(seen)
    end = stop + k_len - q_len if seen.site.causal else k_len
    if placed and end != k_len - q_len + stop:
        weights = seen.attend(return_weights=Select(queries=range(start, stop)))[1]
        return wide(weights), visible
    options: Options = {**seen.options, "mask": Dense(visible[..., :end]), "bias": cut(seen.options.get("bias"), start, stop, end)}
    part = replace(seen, q=seen.q[:, :, start:stop], k=seen.k[:, :, :end], v=seen.v[:, :, :end], options=options)
    weights = wide(part.attend(return_weights=True)[1])
    return torch.nn.functional.pad(weights, (0, k_len - end)), visible


def wide(x: Tensor) -> Tensor:
    """The tensor in at least float32."""
    return x if x.dtype is torch.float64 else x.float()


def shown(seen: Seen, start: int, stop: int) -> Bool[Tensor, "#b #h n k"]:
    """The layer's own mask in those rows."""
    q_len, k_len = seen.q.shape[2], seen.k.shape[2]
    if seen.mask is None:
        return torch.ones(1, 1, stop - start, k_len, dtype=torch.bool, device=seen.q.device)
    rows = seen.mask.over(*seen.q.shape[:2]).rows(start, stop, q_len, k_len, seen.q.device)
    return rows.expand(*rows.shape[:2], stop - start, k_len)


def pairwise(seen: Seen) -> bool:
    """Whether a score is of a query and a key alone, wherever they stand."""
    score: Any = seen.options.get("score", "scaled_dot")
    return score in ("scaled_dot", "dot", "cosine") if isinstance(score, str) else bool(score.pairwise)


def cut(bias: Tensor | None, start: int, stop: int, end: int) -> Tensor | None:
    """A bias for some queries and the first keys; axes of size 1 stay."""
    if bias is None or bias.dim() == 0:
        return bias
    if bias.dim() > 1 and bias.shape[-2] > 1:
        bias = bias[..., start:stop, :]
    return bias[..., :end] if bias.shape[-1] > 1 else bias
