"""How full a mask is: counted in closed form where there is one, else streamed over chunks of queries."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

CELLS = 1 << 22


def streamed(rows: Callable[[int, int], Tensor], q_len: int, cells: int) -> float:
    """The mean of the rows `rows(start, stop)`, a chunk at a time; `cells` is how many entries a query has."""
    if q_len == 0 or cells == 0:
        return 0.0
    chunk = max(1, CELLS // cells)
    total = 0.0
    for start in range(0, q_len, chunk):
        stop = min(start + chunk, q_len)
        table = rows(start, stop)
        total += int(table.count_nonzero()) / table.numel() * (stop - start)
    return total / q_len


def below(shift: int, q_len: int, k_len: int) -> int:
    """How many pairs have k <= q + shift, with q from k_len - q_len to k_len - 1 and k from 0 to k_len - 1."""
    return _staircase(k_len + shift, k_len) - _staircase(k_len - q_len + shift, k_len)


def _staircase(x: int, top: int) -> int:
    """The sum of clamp(y, 0, top) over all y <= x."""
    climbed = min(max(x, 0), top)
    return climbed * (climbed + 1) // 2 + max(x - top, 0) * top


def share(pairs: int, q_len: int, k_len: int) -> float:
    """The pairs as a share of all; 0.0 where there are none."""
    return pairs / (q_len * k_len) if q_len and k_len else 0.0
