"""One resolved call of `attend`: names looked up, sizes checked, nothing computed yet."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heedful.attention.masks.mask import Mask
from heedful.attention.positions.position import Position
from heedful.attention.scores.score import Score
from heedful.attention.select import Select
from heedful.attention.summary import Summary
from heedful.attention.weightings.weighting import Weighting


@dataclass(slots=True, eq=False)
class Call:
    """What a backend is asked to compute."""

    q: Float[Tensor, "b h q d"]
    k: Float[Tensor, "b g k d"]
    v: Float[Tensor, "b g k v"]
    score: Score
    mask: Mask | None
    bias: Float[Tensor, "..."] | None
    position: Position | None
    weighting: Weighting
    scale: float | Tensor
    softcap: float | None
    sink_logits: Float[Tensor, " h"] | None
    temperature: float | Tensor | None
    dropout: float
    seed: int | None
    weights: Select | None
    summaries: tuple[str, ...]

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """(b, h, q, k)."""
        return self.q.shape[0], self.q.shape[1], self.q.shape[2], self.k.shape[2]

    def places(self) -> tuple[Int[Tensor, " q"], Int[Tensor, " k"]]:
        """The positions of the queries and of the keys: the last query stands at the last key."""
        q_len, k_len = self.q.shape[2], self.k.shape[2]
        keys = torch.arange(max(k_len, 1), device=self.q.device)[:k_len]
        return torch.arange(q_len, device=self.q.device) + (k_len - q_len), keys

    def added(self) -> Float[Tensor, "..."] | None:
        """The caller's bias plus the position's, or None."""
        place = None if self.position is None else self.position.bias(self.q.shape[1], *self.places())
        if place is None or self.bias is None:
            return self.bias if place is None else place
        return self.bias + place

    def factor(self) -> float | Tensor:
        """Scale over temperature; a temperature for each head broadcasts over (b, h, q, k)."""
        if self.temperature is None:
            return self.scale
        if isinstance(self.temperature, Tensor):
            return self.scale / self.temperature.reshape(-1, 1, 1)
        return self.scale / self.temperature


@dataclass(slots=True, eq=False)
class Result:
    """What a backend gives back; `weights` and `summary` where they were asked for."""

    out: Float[Tensor, "b h q v"]
    weights: Float[Tensor, "..."] | None = None
    summary: Summary | None = None
