"""What a recurrent decoder carries from step to step, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from jaxtyping import Float, Int
from torch import Tensor, nn

from heedful.errors import ShapeError, unknown

Cell = Literal["gru", "lstm"]
Hidden = Tensor | tuple[Tensor, Tensor]


@dataclass(frozen=True, slots=True, eq=False)
class DecoderState:
    """The cell's state as torch has it, h (layers, b, n) or (h, c), and the attentional vector (b, n) that is fed back, if it is."""

    hidden: Hidden
    fed: Float[Tensor, "b n"] | None = None

    @property
    def top(self) -> Float[Tensor, "b n"]:
        """The last layer's h."""
        return top(self.hidden)

    def reorder(self, index: Int[Tensor, " b"]) -> DecoderState:
        """Row i continues row index[i], as a beam search needs."""
        hidden = self.hidden
        moved = tuple(x.index_select(1, index) for x in hidden) if isinstance(hidden, tuple) else hidden.index_select(1, index)
        return DecoderState(cast("Hidden", moved), None if self.fed is None else self.fed.index_select(0, index))


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Outputs (b, q, n), the contexts (b, q, m) they were made with, the weights (b, q, t) (or (b, q, t, m)), the last state."""

    out: Float[Tensor, "b q n"]
    context: Float[Tensor, "b q m"]
    weights: Float[Tensor, "b q t ..."]
    state: DecoderState


def top(hidden: Hidden) -> Float[Tensor, "b n"]:
    """The last layer's h."""
    return hidden[0][-1] if isinstance(hidden, tuple) else hidden[-1]


def network(cell: str, inputs: int, hidden: int, layers: int, dropout: float) -> nn.LSTM | nn.GRU:
    """The recurrent network of that name, batch first; `UsageError` for another name."""
    if cell == "lstm":
        return nn.LSTM(inputs, hidden, layers, batch_first=True, dropout=dropout)
    if cell == "gru":
        return nn.GRU(inputs, hidden, layers, batch_first=True, dropout=dropout)
    raise unknown("cell", cell, ("gru", "lstm"))


def fresh(rnn: nn.LSTM | nn.GRU, like: Float[Tensor, "b ..."]) -> Hidden:
    """The network's state before anything, all zeros."""
    zeros = like.new_zeros(rnn.num_layers, like.shape[0], rnn.hidden_size)
    return (zeros, zeros) if isinstance(rnn, nn.LSTM) else zeros


def check_inputs(x: Tensor, rank: int, width: int) -> None:
    """Refuse inputs of another rank or width."""
    if x.dim() != rank or x.shape[-1] != width or (rank == 3 and x.shape[1] == 0):
        axes = "(b, q, n) of one step or more" if rank == 3 else "(b, n)"
        raise ShapeError(f"this decoder takes inputs {axes} with n = {width}: found {tuple(x.shape)}")
