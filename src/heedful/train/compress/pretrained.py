"""A smaller Hugging Face model out of a larger one, of the same class and with a config that says its sizes: transformers opens it alone.

Its layers are all alike, so every layer keeps as many heads and channels.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor, nn

from heedful.errors import Unsupported
from heedful.manage.hosts.projections import Block, Projections, projections
from heedful.manage.watch import sites
from heedful.train.compress.activity import Moments
from heedful.train.compress.choose import Kept
from heedful.train.compress.layer import Layer
from heedful.train.compress.refit import refitted

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Inside a feed-forward module: the maps whose outputs are the channels, the one that reads them, and how often a map holds each channel.
FEEDS: tuple[tuple[tuple[str, ...], str, int], ...] = (
    (("gate_proj", "up_proj"), "down_proj", 1),
    (("gate_up_proj",), "down_proj", 2),
    (("c_fc",), "c_proj", 1),
    (("wi_0", "wi_1"), "wo", 1),
    (("wi",), "wo", 1),
    (("fc1",), "fc2", 1),
    (("lin1",), "lin2", 1),
    (("dense_h_to_4h",), "dense_4h_to_h", 1),
    (("intermediate.dense",), "output.dense", 1),
)
WIDTHS = ("intermediate_size", "n_inner", "d_ff", "ffn_dim", "hidden_dim")
HEADS = (("num_attention_heads", "num_key_value_heads", "head_dim"),)


@dataclass(frozen=True, eq=False)
class Feed:
    """The feed-forward part of a layer: paths of the maps."""

    ups: tuple[str, ...]
    down: str
    times: int


@dataclass(frozen=True, eq=False)
class Anatomy:
    """Where a model keeps its heads and channels; `parts` are None for sites whose heads cannot be taken apart, and why."""

    layers: tuple[Layer, ...]
    feeds: tuple[Feed, ...]
    parts: tuple[Projections, ...]
    refusal: str | None = None


def anatomy(model: nn.Module) -> Anatomy:
    """The layers of a Hugging Face model; `Unsupported` for a feed-forward part of an unknown layout."""
    found, feeds = sites(model), feeds_of(model)
    if len(found) != len(feeds):
        raise Unsupported(
            f"{type(model).__name__}: {len(feeds)} feed-forward parts of a known layout to {len(found)} attention layers: it cannot be cut"
        )
    refusal, parts = None, []
    try:
        parts = [projections(model, site) for site in found]
        refusal = why_heads_stay(model)
    except Unsupported as error:
        refusal = str(error)
    names = [part.o.name for part in parts] or [""] * len(feeds)
    layers = tuple(
        Layer(name, feed.down, site.heads, site.kv_heads, site.v, width_of(model, feed))
        for name, feed, site in zip(names, feeds, found, strict=True)
    )
    return Anatomy(layers, feeds, tuple(parts), refusal)


def feeds_of(model: nn.Module) -> tuple[Feed, ...]:
    """The feed-forward parts, in the order of the modules."""
    found = []
    for path, module in model.named_modules():
        inside = dict(module.named_modules())
        for ups, down, times in FEEDS:
            if all(name in inside for name in (*ups, down)) and (len(ups[0].split(".")) == 1) == (ups[0] in dict(module.named_children())):
                found.append(Feed(tuple(f"{path}.{name}" for name in ups), f"{path}.{down}", times))
                break
    return tuple(found)


def width_of(model: nn.Module, feed: Feed) -> int:
    """How many channels a feed-forward part has."""
    return matrix(model, feed.down).shape[1]


def matrix(model: nn.Module, name: str) -> Tensor:
    """The weight of a map, (out, in) however it is kept."""
    weight = model.get_submodule(name).get_parameter("weight")
    return weight.mT if turned(model, name) else weight


def turned(model: nn.Module, name: str) -> bool:
    """Whether a map keeps its weight (in, out), as GPT-2's does."""
    return type(model.get_submodule(name)).__name__ == "Conv1D"


def why_heads_stay(model: nn.Module) -> str | None:
    """Why no file of this class could say that heads are gone; None where one can."""
    known = model.config.to_dict()  # type: ignore[operator, union-attr]
    if any(all(name in known for name in names) for names in HEADS):
        return None
    return (
        f"the config of {type(model).__name__} divides the width by the number of heads, so no file could say that some are gone: "
        "--channels, or a plan with drop and `heedful apply`, would work"
    )


def cut_pretrained(model: PreTrainedModel, found: Anatomy, kept: Sequence[Kept], seen: Mapping[str, Moments]) -> PreTrainedModel:
    """The model of what stays, by the class of the old one; maps that lost columns are refitted to what `seen` says they gave.

    Raises `Unsupported` where something else in the model is as large as what is cut.
    """
    config = copy.deepcopy(model.config)
    known = config.to_dict()
    small_heads = len(kept[0].heads) < found.layers[0].heads
    if small_heads:
        if found.refusal:
            raise Unsupported(found.refusal)
        for name, value in zip(HEADS[0], (len(kept[0].heads), len(kept[0].kv_heads), found.layers[0].d), strict=True):
            config.update({name: value})
    if len(kept[0].channels) < found.layers[0].channels:
        names = [name for name in WIDTHS if name in known]
        if not names:
            raise Unsupported(f"the config of {type(model).__name__} has no field for the width of its feed-forward parts")
        config.update({names[0]: len(kept[0].channels)})
    state = dict(model.state_dict())
    for place, (feed, each) in enumerate(zip(found.feeds, kept, strict=True)):
        state |= channels_cut(model, feed, each, seen)
        state |= heads_cut(model, found.parts[place], each, seen) if small_heads else {}
    small: PreTrainedModel = type(model)(config)
    fill(small, state, model)
    nn.Module.to(small, model.device, model.dtype)
    small.train(False)
    return small


def fill(small: nn.Module, state: Mapping[str, Tensor], model: nn.Module) -> None:
    """Put the tensors into the new model; what does not fit is what the cut did not know of."""
    wanted = small.state_dict()
    wrong = sorted(name for name in wanted if name not in state or state[name].shape != wanted[name].shape)
    if wrong:
        raise Unsupported(f"{type(model).__name__} cannot be cut: {wrong[0]} is made for all heads or channels together")
    small.load_state_dict(dict(state))


def channels_cut(model: nn.Module, feed: Feed, kept: Kept, seen: Mapping[str, Moments]) -> dict[str, Tensor]:
    """The tensors of a feed-forward part."""
    whole = width_of(model, feed)
    found: dict[str, Tensor] = {}
    if len(kept.channels) == whole:
        return {}
    rows = [turn * whole + channel for turn in range(feed.times) for channel in kept.channels]
    for name in feed.ups:
        found |= outputs_cut(model, name, rows)
    return found | inputs_cut(model, feed.down, list(kept.channels), seen)


def heads_cut(model: nn.Module, parts: Projections, kept: Kept, seen: Mapping[str, Moments]) -> dict[str, Tensor]:
    """The tensors of an attention layer's projections; several parts may lie in one map."""
    rows: dict[str, list[int]] = {}
    for block, heads in ((parts.q, kept.heads), (parts.k, kept.kv_heads), (parts.v, kept.kv_heads)):
        rows.setdefault(block.name, []).extend(places(block, heads))
    found: dict[str, Tensor] = {}
    for name, index in rows.items():
        found |= outputs_cut(model, name, sorted(index))
    return found | inputs_cut(model, parts.o.name, places(parts.o, kept.heads), seen)


def places(block: Block, heads: Sequence[int]) -> list[int]:
    """The features of some heads."""
    found: list[int] = block.places[list(heads)].flatten().tolist()
    return found


def outputs_cut(model: nn.Module, name: str, rows: list[int]) -> dict[str, Tensor]:
    """A map with some of its outputs."""
    bias = dict(model.get_submodule(name).named_parameters(recurse=False)).get("bias")
    found = {f"{name}.weight": kept_as(model, name, matrix(model, name).detach()[rows])}
    return found if bias is None else found | {f"{name}.bias": bias.detach()[rows]}


def inputs_cut(model: nn.Module, name: str, columns: list[int], seen: Mapping[str, Moments]) -> dict[str, Tensor]:
    """A map with some of its inputs, refitted where it was seen at work."""
    weight, bias = matrix(model, name), dict(model.get_submodule(name).named_parameters(recurse=False)).get("bias")
    if name not in seen:
        return {f"{name}.weight": kept_as(model, name, weight.detach()[:, columns])}
    fitted, moved = refitted(weight, bias, seen[name], columns)
    found = {f"{name}.weight": kept_as(model, name, fitted)}
    return found if moved is None else found | {f"{name}.bias": moved}


def kept_as(model: nn.Module, name: str, weight: Tensor) -> Tensor:
    """A weight (out, in) the way the map keeps it."""
    return weight.mT.contiguous() if turned(model, name) else weight.contiguous()
