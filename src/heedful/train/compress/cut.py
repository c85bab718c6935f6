"""A smaller model of ours out of a larger one: the rows and columns of what stays, and a spec that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, cast

import torch
from torch import Tensor

from heedful.errors import Unsupported
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.decoder import Decoder
from heedful.models.encoder import Encoder
from heedful.spec.classifier import EncoderSpec
from heedful.spec.model import DecoderSpec
from heedful.spec.shape import LayerShape
from heedful.train.compress.activity import Moments
from heedful.train.compress.choose import Kept
from heedful.train.compress.refit import refitted

M = TypeVar("M", bound=Decoder | Encoder)
BY_HEAD = ("sink_logits", "temperature")


def cut(model: M, kept: Sequence[Kept], seen: Mapping[str, Moments] | None = None) -> M:
    """The model of what stays, on the same device; with `seen` the maps that lost columns are refitted to what they gave.

    >>> from heedful.spec import DecoderSpec
    >>> model = Decoder(DecoderSpec(vocabulary=11, width=16, heads=4, layers=1))
    >>> small = cut(model, [Kept(heads=(0, 2), kv_heads=(0, 2), channels=tuple(range(8)))])
    >>> small.spec.shapes, small.layers[0].feed.down.in_features
    ((LayerShape(heads=2, kv_heads=2, mlp_width=8),), 8)
    """
    spec = model.spec
    check(model, heads=any(len(each.heads) < spec.shape(layer).heads for layer, each in enumerate(kept)))
    state = dict(model.state_dict())
    for layer, each in enumerate(kept):
        state |= layer_cut(state, spec.at(layer), f"layers.{layer}.", each, seen or {})
    shapes = tuple(LayerShape(len(each.heads), len(each.kv_heads), len(each.channels)) for each in kept)
    made = Encoder(replace(spec, shapes=shapes)) if isinstance(spec, EncoderSpec) else Decoder(replace(spec, shapes=shapes))
    made.load_state_dict(state)
    return cast(M, made.to(next(model.parameters()).device).train(model.training))


def layer_cut(
    state: Mapping[str, Tensor], spec: DecoderSpec | EncoderSpec, place: str, kept: Kept, seen: Mapping[str, Moments]
) -> dict[str, Tensor]:
    """The tensors of one layer that change."""
    d, inner = spec.d, spec.inner
    queries, keys = columns(kept.heads, d), columns(kept.kv_heads, d)
    rows = queries + [spec.heads * d + key for key in keys] + [(spec.heads + spec.groups) * d + key for key in keys]
    found: dict[str, Tensor] = {}
    for name in ("in_proj_weight", "in_proj_bias"):
        found |= taken(state, f"{place}attention.{name}", rows)
    for name in BY_HEAD:
        found |= taken(state, f"{place}attention.{name}", list(kept.heads))
    ups = list(kept.channels) + ([inner + channel for channel in kept.channels] if spec.mlp == "swiglu" else [])
    for name in ("weight", "bias"):
        found |= taken(state, f"{place}feed.up.{name}", ups)
    found |= written(state, f"{place}attention.out_proj", queries, seen)
    return found | written(state, f"{place}feed.down", list(kept.channels), seen)


def written(state: Mapping[str, Tensor], name: str, kept: list[int], seen: Mapping[str, Moments]) -> dict[str, Tensor]:
    """A map to the stream with the columns that stay."""
    weight, bias = state[f"{name}.weight"], state.get(f"{name}.bias")
    if len(kept) == weight.shape[1]:
        return {}
    if name not in seen:
        return {f"{name}.weight": weight[:, kept]}
    fitted, moved = refitted(weight, bias, seen[name], kept)
    return {f"{name}.weight": fitted} | ({} if moved is None else {f"{name}.bias": moved})


def taken(state: Mapping[str, Tensor], name: str, rows: list[int]) -> dict[str, Tensor]:
    """Some rows of a tensor that may not be there."""
    return {name: state[name][torch.tensor(rows, device=state[name].device)]} if name in state else {}


def columns(units: Sequence[int], width: int) -> list[int]:
    """The places of units that are `width` wide.

    >>> columns([0, 2], 3)
    [0, 1, 2, 6, 7, 8]
    """
    return [unit * width + i for unit in units for i in range(width)]


def check(model: Decoder | Encoder, heads: bool) -> None:
    """Refuse what cannot be cut: matrices in eight bits, adapters, and heads whose mechanism holds something for all of them together."""
    spec, attention = model.spec, model.layers[0].attention
    assert isinstance(attention, MultiHeadAttention)
    if spec.weights == "int8":
        raise Unsupported("the weights are in eight bits already: compress the model they were made from")
    if isinstance(spec, DecoderSpec) and spec.adapter is not None:
        raise Unsupported(f"the model has a {spec.adapter.method} adapter, made for its sizes: compress first, adapt then")
    found = ""
    if any(True for _ in attention.score.parameters()):
        found = f"score {spec.attention.score.name}"
    elif attention.position is not None and attention.position.adds_bias:
        found = f"position {attention.position.name}"
    if heads and found:
        raise Unsupported(f"heads cannot be cut out under the {found}, which is made for all of them together: --channels would work")
