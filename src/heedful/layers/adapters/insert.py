"""Adapters in every transformer block of a model."""

from __future__ import annotations

from torch import nn

from heedful.errors import Unsupported
from heedful.layers.adapters.bottleneck import Bottleneck
from heedful.layers.adapters.prefix import Prefix
from heedful.layers.block import TransformerBlock
from heedful.spec.adapter import AdapterSpec


def insert(model: nn.Module, spec: AdapterSpec) -> list[nn.Parameter]:
    """Put a new adapter beside every block, in place; its parameters.

    Raises `Unsupported` for a model without transformer blocks, and for one that has an adapter of this kind.
    """
    blocks = [module for module in model.modules() if isinstance(module, TransformerBlock)]
    if not blocks:
        raise Unsupported(f"{type(model).__name__} has no transformer blocks for a {spec.method} adapter")
    made: list[nn.Parameter] = []
    for block in blocks:
        adapter = beside(block, spec)
        adapter.to(block.attention.out_proj.weight.device)
        made += adapter.parameters()
    return made


def beside(block: TransformerBlock, spec: AdapterSpec) -> nn.Module:
    """One block's adapter."""
    w = block.attention.widths
    if (block.attention.prefix if spec.method == "prefix" else block.adapter) is not None:
        raise Unsupported(f"the model has a {spec.method} adapter already: the run it was adapted from would work")
    if spec.method == "prefix":
        if block.attention.memory:
            raise Unsupported("a prefix stands before the keys of a text, and this attention reads learned slots: bottleneck would work")
        block.attention.prefix = Prefix(w.kv_heads, spec.size, w.head_dim)
        return block.attention.prefix
    block.adapter = Bottleneck(w.dim, spec.size)
    return block.adapter
