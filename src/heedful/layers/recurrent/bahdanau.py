"""The decoder that looks before it steps: the previous state reads the memory (Bahdanau, Cho & Bengio 2015, arXiv 1409.0473, §3.1)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.attention.scores.score import Score
from heedful.layers.recurrent.reader import Reader
from heedful.layers.recurrent.state import Cell, Decoded, DecoderState, check_inputs, fresh, network


@final
class BahdanauDecoder(nn.Module):
    """c_i = read(s_{i-1}, memory);  s_i = cell([x_i ; c_i], s_{i-1}). The output of step i is s_i; c_i comes with it.

    >>> import torch
    >>> decoder = BahdanauDecoder(input_dim=4, hidden=8, memory_dim=6)
    >>> memory = torch.randn(2, 5, 6)
    >>> given = decoder(torch.randn(2, 3, 4), memory)
    >>> given.out.shape, given.context.shape, given.weights.shape
    (torch.Size([2, 3, 8]), torch.Size([2, 3, 6]), torch.Size([2, 3, 5]))
    >>> decoder.step(torch.randn(2, 4), memory, given.state).out.shape
    torch.Size([2, 1, 8])

    Arguments:
        input_dim, hidden, memory_dim: widths of the inputs, the state and the memory.
        cell: "gru" (the paper's) or "lstm"; `layers` of them, with `dropout` in between.
        score, units: how the state reads, see `Reader`.
    """

    def __init__(
        self,
        input_dim: int,
        hidden: int,
        memory_dim: int,
        *,
        cell: Cell = "gru",
        score: Score | str = "additive",
        units: int | None = None,
        layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_dim = input_dim
        self.reader = Reader(hidden, memory_dim, score, units)
        self.rnn = network(cell, input_dim + memory_dim, hidden, layers, dropout)

    def forward(
        self,
        x: Float[Tensor, "b q n"],
        memory: Float[Tensor, "b t m"],
        state: DecoderState | None = None,
        *,
        real: Bool[Tensor, "b t"] | None = None,
    ) -> Decoded:
        """All steps, the right inputs given (teacher forcing); the same as `step` after `step`."""
        check_inputs(x, 3, self.input_dim)
        steps: list[Decoded] = []
        for each in x.unbind(dim=1):
            steps.append(self.step(each, memory, state, real=real))
            state = steps[-1].state
        out, context, weights = (torch.cat(parts, dim=1) for parts in zip(*((s.out, s.context, s.weights) for s in steps), strict=True))
        return Decoded(out, context, weights, steps[-1].state)

    def step(
        self,
        x: Float[Tensor, "b n"],
        memory: Float[Tensor, "b t m"],
        state: DecoderState | None = None,
        *,
        real: Bool[Tensor, "b t"] | None = None,
    ) -> Decoded:
        """One step from a state; from zeros at first."""
        check_inputs(x, 2, self.input_dim)
        state = DecoderState(fresh(self.rnn, x)) if state is None else state
        context, weights = self.reader(state.top[:, None], memory, real)
        out, hidden = self.rnn(torch.cat([x[:, None], context], dim=-1), state.hidden)
        return Decoded(out, context, weights, DecoderState(hidden))
