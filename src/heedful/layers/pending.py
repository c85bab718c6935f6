"""An attention call that a layer prepares: heads, mask and bias, before `attend` sees them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import pad

from heedful.attention.masks.dense import Dense
from heedful.attention.masks.mask import Mask
from heedful.attention.positions.position import Position
from heedful.attention.scores.score import Score


@dataclass(slots=True, eq=False)
class Pending:
    """Queries (b, h, q, d), keys and values (b, g, k, d), what applies to their scores, and what the output is added to."""

    q: Float[Tensor, "b h q d"]
    k: Float[Tensor, "b g k d"]
    v: Float[Tensor, "b g k v"]
    score: Score
    mask: Mask | None = None
    bias: Float[Tensor, "..."] | None = None
    position: Position | None = None
    stream: Float[Tensor, "b q m"] | None = None

    def rotate(self, at_q: Int[Tensor, " q"], at_k: Int[Tensor, " k"]) -> None:
        """Put the positions into queries and keys."""
        if self.position is None:
            return
        if at_q is at_k and len(at_q) == 1:  # a step: one rotation costs half of two
            both = self.position.rotate(torch.cat([self.q, self.k], dim=1), at_q)
            self.q, self.k = both[:, : self.q.shape[1]], both[:, self.q.shape[1] :]
        else:
            self.q, self.k = self.position.rotate(self.q, at_q), self.position.rotate(self.k, at_k)

    def place(self, at_q: Int[Tensor, " q"], at_k: Int[Tensor, " k"]) -> None:
        """Take the position's bias, for queries and keys that are rotated already: the position is spent."""
        if self.position is not None and self.position.adds_bias:
            bias = self.position.bias(self.q.shape[1], at_q, at_k)
            self.bias = bias if self.bias is None or bias is None else self.bias + bias
        self.position = None

    def extend(self, k: Float[Tensor, "b g n d"], v: Float[Tensor, "b g n v"]) -> None:
        """More keys and values, which every query may see and which have no place."""
        if self.position is not None:
            at_k = torch.arange(self.k.shape[2], device=self.k.device)
            at_q = torch.arange(self.q.shape[2], device=self.k.device) + (self.k.shape[2] - self.q.shape[2])
            self.rotate(at_q, at_k)
            self.place(at_q, at_k)
        more = k.shape[2]
        if self.mask is not None:
            table = self.mask.over(self.q.shape[0], self.q.shape[1]).dense(self.q.shape[2], self.k.shape[2], self.q.device)
            self.mask = Dense(pad(table, (0, more), value=True))
        if self.bias is not None:
            self.bias = pad(self.bias.expand(*self.bias.shape[:-1], self.k.shape[2]), (0, more))
        self.k, self.v = torch.cat([self.k, k], dim=2), torch.cat([self.v, v], dim=2)
