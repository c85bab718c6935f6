"""The parameters of an attention layer for some of its heads, in a new order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor, nn

from heedful.errors import Unsupported
from heedful.layers.attention import AttentionLayer
from heedful.layers.int8 import Int8Linear
from heedful.layers.projection import Projection
from heedful.layers.widths import Widths
from heedful.manage.apply.arrangement import Arrangement

Index = slice | Tensor


def rows_of(heads: Sequence[int], width: int) -> Int[Tensor, " n"]:
    """The rows of heads that are `width` wide.

    >>> rows_of([2, 0], 2).tolist()
    [4, 5, 0, 1]
    """
    return (torch.tensor(heads, dtype=torch.long)[:, None] * width + torch.arange(width)).reshape(-1)


def taken(parameter: Tensor, index: Int[Tensor, " n"], axis: int = 0) -> nn.Parameter:
    """Some rows (or columns) of a parameter as a new one, trained where it was."""
    return nn.Parameter(parameter.detach().index_select(axis, index.to(parameter.device)), parameter.requires_grad)


def slice_into(new: AttentionLayer, layer: AttentionLayer, arrangement: Arrangement) -> None:
    """Give `new` the layer's parameters: of queries, keys and values the rows, of the output the columns, of its heads.

    Where all heads stay as they stand, they are the very same parameters.
    """
    w = layer.widths
    if arrangement.queries == tuple(range(w.heads)) and arrangement.keys == tuple(range(w.kv_heads)):
        return share(new, layer)
    q = rows_of(arrangement.queries, w.head_dim)
    shared = rows_of(arrangement.keys, w.head_dim)
    packed = torch.cat([q, shared + w.query, shared + w.query + w.shared])
    if layer.in_proj is not None:
        new.in_proj = eight_bits(layer.in_proj, packed, slice(None))
    if layer.in_proj_weight is not None:
        new.in_proj_weight = taken(layer.in_proj_weight, packed)
    for name, rows in (("q_proj_weight", q), ("k_proj_weight", shared), ("v_proj_weight", shared)):
        weight = layer.get_parameter(name) if name in dict(layer.named_parameters(recurse=False)) else None
        if weight is not None:
            new.register_parameter(name, taken(weight, rows))
    if layer.in_proj_bias is not None:
        new.in_proj_bias = taken(layer.in_proj_bias, packed)
    heads = torch.tensor(arrangement.queries, dtype=torch.long)
    new.sink_logits = None if layer.sink_logits is None else taken(layer.sink_logits, heads)
    new.temperature = None if layer.temperature is None else taken(layer.temperature, heads)
    new.register_module("out_proj", narrower(layer.get_submodule("out_proj"), q))
    return None


def share(new: AttentionLayer, layer: AttentionLayer) -> None:
    """The layer's own parameters and output projection."""
    for name, parameter in layer.named_parameters(recurse=False):
        new.register_parameter(name, parameter)
    new.in_proj = layer.in_proj
    new.register_module("out_proj", layer.get_submodule("out_proj"))


def narrower(layer: nn.Module, columns: Int[Tensor, " n"]) -> nn.Module:
    """An output projection of some of its inputs."""
    if isinstance(layer, Int8Linear):
        return eight_bits(layer, slice(None), columns)
    if isinstance(layer, nn.Linear):
        return of_columns(layer, columns)
    raise Unsupported(f"an output projection that is a {type(layer).__name__} cannot be cut: nn.Linear or eight bits would work")


def eight_bits(layer: Int8Linear, rows: Index, columns: Index) -> Int8Linear:
    """Some outputs and inputs of a layer in eight bits."""
    weight = layer.weight[rows][:, columns]
    new = Int8Linear(weight.shape[1], weight.shape[0], layer.bias is not None).to(weight.device).train(layer.training)
    new.weight, new.scale = weight.contiguous(), layer.scale[rows].clone()
    if layer.bias is not None:
        new.bias = nn.Parameter(layer.bias.detach()[rows].clone(), layer.bias.requires_grad)
    return new


def of_columns(layer: nn.Linear, columns: Int[Tensor, " n"]) -> Projection:
    """The same in floating point."""
    new = Projection(1, layer.out_features, bias=layer.bias is not None, device="meta")
    new.in_features = len(columns)
    new.weight = taken(layer.weight, columns, axis=1)
    if layer.bias is not None:
        new.bias = nn.Parameter(layer.bias.detach().clone(), layer.bias.requires_grad)
    return new.train(layer.training)


def kept_widths(widths: Widths, arrangement: Arrangement) -> Widths:
    """The widths with the heads that are left; they need not divide each other."""
    return replace(widths, heads=len(arrangement.queries), kv_heads=len(arrangement.keys))
