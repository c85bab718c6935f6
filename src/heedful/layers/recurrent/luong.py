"""The decoder that steps before it looks: the current state reads the memory (Luong, Pham & Manning 2015, arXiv 1508.04025, §3.1, §3.3)."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.attention.scores.score import Score
from heedful.layers.recurrent.reader import Reader
from heedful.layers.recurrent.state import Cell, Decoded, DecoderState, check_inputs, fresh, network


@final
class LuongDecoder(nn.Module):
    """h_i = cell(x_i, h_{i-1});  c_i = read(h_i, memory);  the output is tanh(W_c [c_i ; h_i]).

    With `feeding` the output also enters the next step beside its input, so that choices know of earlier alignments.

    >>> import torch
    >>> decoder = LuongDecoder(input_dim=4, hidden=8, memory_dim=6, feeding=True)
    >>> memory = torch.randn(2, 5, 6)
    >>> given = decoder(torch.randn(2, 3, 4), memory)
    >>> given.out.shape, given.weights.shape
    (torch.Size([2, 3, 8]), torch.Size([2, 3, 5]))
    >>> decoder.step(torch.randn(2, 4), memory, given.state).out.shape
    torch.Size([2, 1, 8])

    Arguments:
        input_dim, hidden, memory_dim: widths of the inputs, the state and the memory.
        cell: "lstm" (the paper's) or "gru"; `layers` of them, with `dropout` in between.
        score: "dot" (equal widths), "general", "concat", or any of the catalogue; `units`: see `Reader`.
    """

    def __init__(
        self,
        input_dim: int,
        hidden: int,
        memory_dim: int,
        *,
        cell: Cell = "lstm",
        score: Score | str = "general",
        feeding: bool = False,
        units: int | None = None,
        layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_dim, self.feeding = input_dim, feeding
        self.rnn = network(cell, input_dim + (hidden if feeding else 0), hidden, layers, dropout)
        self.reader = Reader(hidden, memory_dim, score, units)
        self.mix = nn.Linear(memory_dim + hidden, hidden, bias=False)

    def forward(
        self,
        x: Float[Tensor, "b q n"],
        memory: Float[Tensor, "b t m"],
        state: DecoderState | None = None,
        *,
        real: Bool[Tensor, "b t"] | None = None,
    ) -> Decoded:
        """All steps, the right inputs given (teacher forcing); without feeding all at once, the same as `step` after `step`."""
        check_inputs(x, 3, self.input_dim)
        if not self.feeding:
            states, hidden = self.rnn(x, fresh(self.rnn, x) if state is None else state.hidden)
            return self.mixed(states, memory, real, hidden)
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
        if self.feeding:
            fed = x.new_zeros(len(x), self.rnn.hidden_size) if state is None or state.fed is None else state.fed
            x = torch.cat([x, fed], dim=-1)
        states, hidden = self.rnn(x[:, None], fresh(self.rnn, x) if state is None else state.hidden)
        return self.mixed(states, memory, real, hidden)

    def mixed(self, states: Tensor, memory: Tensor, real: Tensor | None, hidden: Tensor | tuple[Tensor, Tensor]) -> Decoded:
        """The attentional vectors of these states."""
        context, weights = self.reader(states, memory, real)
        out = torch.tanh(self.mix(torch.cat([context, states], dim=-1)))
        return Decoded(out, context, weights, DecoderState(hidden, out[:, -1] if self.feeding else None))
