"""The operators say of themselves what is true: shapes, strides and types before they run, and derivatives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from heedful.attention.tiles.carried import carried
from heedful.attention.tiles.operator import attention
from heedful.masks import Causal, Documents, Mask, Window

MASKS: dict[str, Mask | None] = {"none": None, "band": Causal() & Window(9), "packed": Documents(torch.arange(70).repeat(2, 1) // 30)}


def drawn(heads: int) -> Tensor:
    """As a layer makes them: the heads side by side."""
    return torch.randn(2, 70, heads, 8).transpose(1, 2).requires_grad_()


@pytest.mark.parametrize("wanted", ["", "lse,entropy,topk,distance,sinks,columns"])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, in opcheck
def test_operator_keeps_its_word(mask: str, wanted: str) -> None:
    rule = MASKS[mask]
    text, held = ("", []) if rule is None else carried(rule, 70, 70)
    factor, sinks = (torch.rand(4, requires_grad=not wanted) for _ in range(2))
    tensors = [drawn(4), drawn(2), drawn(2)]
    if wanted:
        tensors = [x.detach() for x in tensors]
    given = (*tensors, factor, None, None, sinks, None, held, text, 1.0, 2.0, 0.0, wanted, None, None)
    torch.library.opcheck(attention, given, test_utils=("test_schema", "test_autograd_registration", "test_faketensor"))
