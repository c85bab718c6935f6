"""A model's matrices in eight bits: those of its blocks, not the embeddings (which the output shares), norms and gates."""

from __future__ import annotations

from typing import TypeVar

from torch import nn

from heedful.errors import Unsupported
from heedful.layers.attention import AttentionLayer
from heedful.layers.block import TransformerBlock
from heedful.layers.int8 import Int8Linear

M = TypeVar("M", bound=nn.Module)


def quantise(model: M) -> M:
    """The model with `Int8Linear` in place of the linear layers of its blocks, changed in place.

    >>> import torch
    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> model = quantise(build(DecoderSpec(vocabulary=11, width=16, layers=1)))
    >>> sorted({name.rpartition(".")[2] for name, buffer in model.named_buffers() if buffer.dtype == torch.int8})
    ['weight']

    Raises `Unsupported` for a model without transformer blocks.
    """
    blocks = [module for module in model.modules() if isinstance(module, TransformerBlock)]
    if not blocks:
        raise Unsupported(f"{type(model).__name__} has no transformer blocks whose matrices could be kept in eight bits")
    for block in blocks:
        for module in [*block.feed.modules(), block.attention]:
            narrowed(module)
    return model


def narrowed(module: nn.Module) -> None:
    """The module's own linear layers in eight bits."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            module.register_module(name, Int8Linear.of(child))
    if isinstance(module, AttentionLayer) and module.in_proj_weight is not None:
        module.in_proj = Int8Linear.made(module.in_proj_weight, module.in_proj_bias)
        module.in_proj_weight = module.in_proj_bias = None
