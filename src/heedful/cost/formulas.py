"""Operations and bytes of products and layers, by formula.

An operation is a multiplication or an addition of a matrix product or convolution: a multiply-add is two, as
torch.utils.flop_counter counts. What is done number by number (softmax, norms, activations, masks) is not counted in
operations. Bytes are the least traffic: every operand read once, every result written once.

Letters: n rows (batch times places), b batch, t time, h g heads, q k lengths, d v widths of a head, m width of the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Cost:
    """Operations and bytes; costs add up, and repeat.

    >>> Cost(10, 4) + 2 * Cost(1, 1)
    Cost(operations=12, bytes=6)
    >>> sum([Cost(1, 2), Cost(3, 4)], Cost())
    Cost(operations=4, bytes=6)
    """

    operations: int = 0
    bytes: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.operations + other.operations, self.bytes + other.bytes)

    def __rmul__(self, times: int) -> Cost:
        return Cost(times * self.operations, times * self.bytes)


def product(rows: int, inner: int, columns: int, *, batch: int = 1, dtype: torch.dtype = torch.float32) -> Cost:
    """`batch` products of (rows, inner) with (inner, columns).

    >>> product(3, 4, 5).operations
    120
    """
    moved = batch * (rows * inner + inner * columns + rows * columns)
    return Cost(2 * batch * rows * inner * columns, moved * dtype.itemsize)


def product_backward(rows: int, inner: int, columns: int, *, batch: int = 1, dtype: torch.dtype = torch.float32) -> Cost:
    """The gradients of both factors: both factors and the result's gradient read, two gradients written."""
    moved = batch * (2 * (rows * inner + inner * columns) + rows * columns)
    return Cost(4 * batch * rows * inner * columns, moved * dtype.itemsize)


def linear(n: int, inputs: int, outputs: int, *, bias: bool = False, dtype: torch.dtype = torch.float32) -> Cost:
    """A linear map of n rows."""
    return product(n, inputs, outputs, dtype=dtype) + Cost(0, outputs * dtype.itemsize if bias else 0)


def embedding(n: int, m: int, *, dtype: torch.dtype = torch.float32) -> Cost:
    """n rows of width m looked up: nothing is computed; the ids (8 bytes) and rows are read, and written where they go."""
    return Cost(0, n * (8 + 2 * m * dtype.itemsize))


def norm(n: int, m: int, *, dtype: torch.dtype = torch.float32) -> Cost:
    """A norm over n rows, with its gain: read, and written."""
    return Cost(0, (2 * n * m + m) * dtype.itemsize)


def mlp(n: int, m: int, inner: int, *, gated: bool = False, dtype: torch.dtype = torch.float32) -> Cost:
    """Two linear maps, m to inner and back; three if gated (SwiGLU)."""
    ups = 2 if gated else 1
    return ups * linear(n, m, inner, dtype=dtype) + linear(n, inner, m, dtype=dtype)


def recurrent(
    b: int, t: int, inputs: int, hidden: int, *, gates: int = 4, layers: int = 1, directions: int = 1, dtype: torch.dtype = torch.float32
) -> Cost:
    """A recurrent stack over t steps: 4 gates for an LSTM, 3 for a GRU, 1 for a plain network.

    The weights of the hidden state are read once for each step, since no step can wait for the next.

    >>> recurrent(2, 5, 8, 16).operations == 2 * 2 * 5 * 4 * 16 * (8 + 16)
    True
    """
    total = Cost()
    for layer in range(layers):
        width = inputs if layer == 0 else directions * hidden
        from_input = linear(b * t, width, gates * hidden, dtype=dtype)
        from_state = t * linear(b, hidden, gates * hidden, dtype=dtype)
        total = total + directions * (from_input + from_state)
    return total
