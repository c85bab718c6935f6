"""The activations' door: what it is given is packed at once, since a small call takes no longer than filling a structure."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from struct import Struct

import torch
from torch import Tensor
from torch.utils._python_dispatch import _get_current_dispatch_mode

from heedful.attention.native.build import library
from heedful.attention.native.fill import KINDS

JOB = Struct("@4q4q")  # `Job` of activation.cpp: x, up, to, act; rows, width, kind, threads
TYPES = (torch.float32, torch.bfloat16)
SMALL = 1 << 14  # numbers; below, torch is as quick
ALONE = 1 << 16  # numbers; fewer are done sooner than another thread is called

Door = Callable[..., int]


@cache
def doors() -> tuple[Door, Door] | None:
    """`heedful_gelu` and `heedful_swiglu`, or None where they could not be compiled."""
    found = library(Path(__file__).with_name("activation.cpp"))
    return None if isinstance(found, str) else (found.heedful_gelu, found.heedful_swiglu)


def serves(x: Tensor) -> bool:
    """Whether the doors take it: on a CPU, large and dense, of numbers they know, and followed by nothing but autograd."""
    if torch.compiler.is_compiling() or x.device.type != "cpu" or x.numel() < SMALL or x.dtype not in TYPES or not x.is_contiguous():
        return False
    if torch._C._are_functorch_transforms_active() or torch.autograd.forward_ad._current_level >= 0:
        return False
    return _get_current_dispatch_mode() is None and type(x) in (Tensor, torch.nn.Parameter) and doors() is not None


def activated(gates: bool, x: Tensor) -> Tensor:
    """The activation of x."""
    act = x.new_empty((*x.shape[:-1], x.shape[-1] // 2)) if gates else torch.empty_like(x)
    run(gates, x, None, None, act)
    return act


def run(gates: bool, x: Tensor, up: Tensor | None, to: Tensor | None, act: Tensor | None) -> None:
    """Fill `act` with the activation of x, and, given the gradient `up` of the activation, `to` with that of x.

    All are dense; `to` or `act` may be `up` where they are as large.
    """
    found = doors()
    assert found is not None
    width = x.shape[-1] // 2 if gates else x.shape[-1]
    threads = torch.get_num_threads() if x.numel() >= ALONE else 1
    places = [0 if tensor is None else tensor.data_ptr() for tensor in (x, up, to, act)]
    failed = found[gates](JOB.pack(*places, x.numel() // max(x.shape[-1], 1), width, KINDS[x.dtype], threads))
    assert not failed
