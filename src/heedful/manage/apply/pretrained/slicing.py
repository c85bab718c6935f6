"""Cutting heads out of a Hugging Face module's projections, where the module takes whatever number of heads it gets."""

from __future__ import annotations

import inspect
import re
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn

from heedful.errors import Unsupported
from heedful.manage.apply.pretrained.layer import PlannedSite
from heedful.manage.hosts.projections import Block, Projections, projections

# "(batch, length, whatever is left, width of a head)"
COUNTED = re.compile(r"-1,\s*self\.(head_dim|attention_head_size|head_size|key_value_proj_dim|d_kv)\b")
THIRD = "split_size"  # how wide GPT-2 takes each third of its one map to be


def slice_site(model: nn.Module, planned: PlannedSite, stack: ExitStack) -> None:
    """Put smaller maps in place of the site's own; undone when `stack` closes. A layout that does not allow it stays as it is."""
    found = sliceable(model, planned)
    if found is None:
        return
    order = planned.order
    if found.q.module is found.v.module:
        exchange(model, found.q, in_thirds(found, planned), stack)
        stack.callback(setattr, planned.module, THIRD, getattr(planned.module, THIRD))
        setattr(planned.module, THIRD, len(order.queries) * planned.site.d)
        exchange(model, found.o, found.o.only(list(order.queries)), stack)
    else:
        for block, heads in zip(found, (order.queries, order.keys, order.keys, order.queries), strict=True):
            exchange(model, block, block.only(list(heads)), stack)
    planned.sliced = True


def exchange(model: nn.Module, block: Block, new: nn.Module, stack: ExitStack) -> None:
    """A map in the place of another, until `stack` closes."""
    path, _, name = block.name.rpartition(".")
    parent = model.get_submodule(path)
    stack.callback(parent.register_module, name, block.module)
    parent.register_module(name, new)


def in_thirds(found: Projections, planned: PlannedSite) -> nn.Linear:
    """One map of the queries, keys and values that are left."""
    parts = [block.only(list(planned.order.queries)) for block in found[:3]]
    joined = nn.Linear(parts[0].in_features, 3 * parts[0].out_features, bias=parts[0].bias is not None, device="meta")
    joined.weight = nn.Parameter(torch.cat([part.weight.detach() for part in parts]), parts[0].weight.requires_grad)
    if parts[0].bias is not None:
        joined.bias = nn.Parameter(torch.cat([part.bias.detach() for part in parts]), parts[0].bias.requires_grad)
    return joined.train(found.q.module.training)


def sliceable(model: nn.Module, planned: PlannedSite) -> Projections | None:
    """The projections, where the module counts its heads by what comes out of them; None where cutting would break it, or be idle."""
    order = planned.order
    if not order.queries or (order.queries == tuple(range(planned.site.heads)) and order.keys == tuple(range(planned.site.kv_heads))):
        return None
    try:
        found = projections(model, planned.site)
    except Unsupported:
        return None
    maps = len({id(block.module) for block in found})
    apart = maps == len(found) or (maps == 2 and thirds(planned))
    return found if apart and all(held(block) for block in found) and counts(planned.module) else None


def thirds(planned: PlannedSite) -> bool:
    """Whether one map gives queries, keys and values, equally wide and cut apart by a width that the module holds."""
    module: Any = planned.module
    return planned.order.queries == planned.order.keys and isinstance(vars(module).get(THIRD), int)


def held(block: Block) -> bool:
    """Whether a map is a linear layer with a weight of its own."""
    return isinstance(block.module, nn.Linear) or block.turned


def counts(module: nn.Module) -> bool:
    """Whether the module's forward leaves the number of heads open."""
    try:
        return COUNTED.search(inspect.getsource(type(module).forward)) is not None
    except (OSError, TypeError):
        return False
