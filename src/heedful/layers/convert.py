"""Our attention into a model that somebody else built on torch's: every nn.MultiheadAttention replaced, nothing else touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import nn

from heedful.errors import Unsupported
from heedful.layers.torch_attention import TorchAttention


@dataclass(frozen=True, slots=True)
class Conversion:
    """The names of the layers that were replaced, and of those left as they were with the reason."""

    replaced: tuple[str, ...]
    left: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.replaced)


def convert(model: nn.Module) -> Conversion:
    """Replace every `nn.MultiheadAttention` inside `model`, in place, by a layer of ours that computes the same.

    >>> import torch
    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, dropout=0.0, batch_first=True), 2)
    >>> x = torch.randn(1, 5, 8)
    >>> before = encoder(x)
    >>> convert(encoder).replaced
    ('layers.0.self_attn', 'layers.1.self_attn')
    >>> torch.allclose(encoder(x), before, atol=1e-5)
    True

    The new layers share the old parameters under the old names: the model's state_dict loads and saves as before. A layer
    that stands in several places stays shared. See `TorchAttention` for the three things that differ.

    Errors: `Unsupported` where `model` is itself an `nn.MultiheadAttention`, which nothing holds that could be changed.
    """
    if isinstance(model, nn.MultiheadAttention):
        raise Unsupported(
            "convert changes the model around an attention layer: found the bare layer; MultiHeadAttention.from_torch(layer) would work"
        )
    found = [(name, each) for name, each in model.named_modules(remove_duplicate=False) if isinstance(each, nn.MultiheadAttention)]
    left = {name: reason for name, each in found if (reason := why_not(each)) is not None}
    adapters = {id(each): TorchAttention(each) for name, each in found if name not in left}
    for name, each in found:
        if name not in left:
            model.set_submodule(name, adapters[id(each)])
    return Conversion(tuple(name for name, _ in found if name not in left), left)


def why_not(mha: nn.MultiheadAttention) -> str | None:
    """Why this layer cannot be replaced without changing what it does; None where it can."""
    if type(mha) is not nn.MultiheadAttention:
        return f"{type(mha).__name__} is a class of its own"
    if mha._forward_hooks or mha._forward_pre_hooks or mha._backward_hooks or mha._backward_pre_hooks:
        return "hooks are attached to it: remove them first"
    return None
