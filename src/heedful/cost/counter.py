"""Counting the operations of a run, the CPU's fused kernels included.

torch.utils.flop_counter knows matrix products, convolutions and the fused attention of CUDA; on a CPU it counts nothing
for fused attention, nothing for an LSTM, and nothing for products added in place. Their formulas are added here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from heedful.cost.attention import Sizes, backward, forward
from heedful.cost.formulas import product

Shape = Sequence[int]
Formula = Callable[..., int]


def counter() -> FlopCounterMode:
    """A context that counts operations; `.get_total_flops()` after it gives the sum.

    >>> q = torch.randn(2, 4, 16, 8)
    >>> with counter() as counted:
    ...     out = torch.nn.functional.scaled_dot_product_attention(q, q, q)
    >>> counted.get_total_flops() == 4 * 2 * 4 * 16 * 16 * 8
    True
    """
    aten = torch.ops.aten
    kernels: dict[Any, Formula] = {
        aten._scaled_dot_product_flash_attention_for_cpu: _attention,
        aten._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
        aten.baddbmm_: _added,
        aten.mkldnn_rnn_layer: _recurrent,
        aten.mkldnn_rnn_layer_backward: _recurrent_backward,
    }
    return FlopCounterMode(display=False, custom_mapping=kernels)


def _sizes(q: Shape, k: Shape, v: Shape) -> Sizes:
    return Sizes(b=q[0], h=q[1], g=k[1], q=q[2], k=k[2], d=q[3], v=v[3])


def _attention(q: Shape, k: Shape, v: Shape, *rest: Any, **options: Any) -> int:
    return forward(_sizes(q, k, v)).operations


def _attention_backward(out: Shape, q: Shape, k: Shape, v: Shape, *rest: Any, **options: Any) -> int:
    return backward(_sizes(q, k, v)).operations


def _added(into: Shape, left: Shape, right: Shape, *rest: Any, **options: Any) -> int:
    """Batches of products, added to what is there."""
    return product(left[1], left[2], right[2], batch=left[0]).operations


def _recurrent(x: Shape, of_input: Shape, of_state: Shape, *rest: Any, **options: Any) -> int:
    """x (t, b, i); the gates' weights (gates · hidden, i) and (gates · hidden, hidden)."""
    return 2 * x[0] * x[1] * of_input[0] * (of_input[1] + of_state[1])


def _recurrent_backward(x: Shape, of_input: Shape, of_state: Shape, *rest: Any, **options: Any) -> int:
    return 2 * _recurrent(x, of_input, of_state)
