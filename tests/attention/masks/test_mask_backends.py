"""Masks inside other machinery: FlexAttention's mask_mod, and torch.compile."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.attention.flex_attention import create_mask

from heedful.attention.mechanism import Mechanism, Shape
from heedful.masks import MASKS, Blocks, Causal, Dilated, Mask, Prefix, Rule, Sinks, Strided, Window


@pytest.mark.parametrize("row", MASKS, ids=lambda row: row.name)
@pytest.mark.parametrize(("q", "k"), [(12, 12), (5, 12)])
def test_every_rule_is_a_mask_mod(row: Mechanism[Mask], q: int, k: int) -> None:
    mask = row.build(Shape(heads=3, kv_heads=3, d=8, q=q, k=k, batch=2), {}).over(2, 3)
    for rule in (mask, ~mask & Causal(), mask.at(torch.arange(k - q, k), torch.arange(k))):
        flex = create_mask(rule.mask_mod(q, k), 2, 3, q, k, device="cpu")
        assert torch.equal(flex, rule.dense(q, k).expand(2, 3, q, k))


POSITIONAL = (
    Causal(),
    Window(3, ahead=1),
    Causal() & (Sinks(1) | Window(2)),
    ~Prefix(2),
    Strided(2) | Dilated(2, 2) | Blocks(3),
    Rule(lambda b, h, q, k: q % 2 == k % 2),
)


@pytest.mark.parametrize("mask", POSITIONAL, ids=str)
@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_positional_masks_compile_whole_at_any_length(mask: Mask, backend: str) -> None:
    def blocked(x: Tensor) -> Tensor:
        return x.masked_fill(~(mask & Window(9)).dense(x.shape[-2], x.shape[-1], x.device), 0.0)

    torch._dynamo.reset()
    compiled = torch.compile(blocked, backend=backend, fullgraph=True)
    for q, k in ((4, 4), (3, 7), (8, 5), (1, 6)):
        x = torch.randn(2, 3, q, k)
        assert torch.equal(compiled(x), blocked(x))


@pytest.mark.parametrize("row", MASKS, ids=lambda row: row.name)
def test_every_row_compiles_whole(row: Mechanism[Mask]) -> None:
    mask = row.build(Shape(heads=3, kv_heads=3, d=8, q=6, k=6, batch=2), {})

    def blocked(x: Tensor) -> Tensor:
        return x.masked_fill(~mask.over(x.shape[0], x.shape[1]).dense(6, 6, x.device), 0.0)

    torch._dynamo.reset()
    x = torch.randn(2, 3, 6, 6)
    assert torch.equal(torch.compile(blocked, backend="aot_eager", fullgraph=True)(x), blocked(x))
