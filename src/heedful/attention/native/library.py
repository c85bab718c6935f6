"""The library's doors, and `problem.h` as Python sees it."""

from __future__ import annotations

import ctypes
from functools import cache
from struct import Struct

from torch import Tensor

from heedful.attention.native.build import opened
from heedful.errors import HeedfulError

MATRICES = ("q", "k", "v", "out", "dout", "dq", "dk", "dv")
POINTERS = (
    *("lse", "dlse", "factor", "bias", "dbias", "relative", "drelative", "sinks", "start", "column", "tile", "words"),
    *("entropy", "sink_mass", "distance", "columns", "top", "top_index", "weights", "weight_of", "weight_at"),
)
NUMBERS = (
    *("bias_b", "bias_h", "bias_q", "bias_k", "relative_h", "b", "h", "g", "q_len", "k_len", "d", "v_width", "weight_mean", "kind"),
    *("mask_batch", "mask_heads", "buckets", "top_n", "weight_heads", "weight_rows", "threads", "splits"),
)


class Matrix(ctypes.Structure):
    """A tensor (b, heads, n, width) whose last axis is dense: where it lies, and its strides."""

    _fields_ = (("data", ctypes.c_void_p), ("b", ctypes.c_int64), ("h", ctypes.c_int64), ("n", ctypes.c_int64))


class Problem(ctypes.Structure):
    """What the library is given; `problem.h` says what the fields mean."""

    _fields_ = (
        *((name, Matrix) for name in MATRICES),
        *((name, ctypes.c_void_p) for name in POINTERS),
        *((name, ctypes.c_int64) for name in NUMBERS),
        ("seed", ctypes.c_uint64),
        ("softcap", ctypes.c_double),
        ("dropout", ctypes.c_double),
    )


# The same from end to end: a small call takes no longer than setting its fields one by one.
PROBLEM = Struct(f"@{4 * len(MATRICES) + len(POINTERS) + len(NUMBERS)}qQ2d")
PLACES = Struct("@4q")
AT = {name: n * PLACES.size for n, name in enumerate(MATRICES)}
Place = tuple[int, int, int, int]


def place(x: Tensor) -> Place:
    """A tensor as the library sees it; it must outlive the call."""
    b, h, n, _ = x.stride()
    return x.data_ptr(), b, h, n


@cache
def unavailable() -> str | None:
    """Why there is no library, or None."""
    found = opened()
    if isinstance(found, str):
        return found
    size = found.heedful_problem_size()
    return None if size == ctypes.sizeof(Problem) else f"its library takes a problem of {size} bytes, not {ctypes.sizeof(Problem)}"


def call(name: str, problem: Problem) -> None:
    """Run `heedful_forward` or `heedful_backward`."""
    found = opened()
    assert not isinstance(found, str)
    code = found[name](ctypes.byref(problem))
    if code:
        raise HeedfulError(f"{name} failed: " + ("there is not enough memory" if code == 2 else f"unknown type of numbers {problem.kind}"))
