"""Models made of our own layers: planned layers take the place of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack

from torch import nn

from heedful.errors import Unsupported
from heedful.layers.multihead import MultiHeadAttention
from heedful.manage.apply.attention import PlannedAttention
from heedful.manage.apply.check import inseparable
from heedful.manage.apply.quick import unfit
from heedful.manage.apply.spans import spanned
from heedful.manage.options.table import parse
from heedful.manage.site import Site


def change(model: nn.Module, sites: Sequence[Site], choices: Sequence[Sequence[str]], dense_below: int | None, stack: ExitStack) -> None:
    """Put planned layers in the place of the model's own; those are back when `stack` closes."""
    narrowed = [within_spans(model, site, names) for site, names in zip(sites, choices, strict=True)]
    made = [(site, planned(model, site, names)) for site, names in zip(sites, narrowed, strict=True) if worthwhile(model, site, names)]
    for site, layer in made:
        layer.dense_below = dense_below
        path, _, name = site.name.rpartition(".")
        parent, before = model.get_submodule(path), model.get_submodule(site.name)
        stack.callback(restore, parent, name, before, layer)
        parent.register_module(name, layer)


def within_spans(model: nn.Module, site: Site, names: Sequence[str]) -> list[str]:
    """The options of a site's heads within what they have learnt to look at."""
    layer = model.get_submodule(site.name)
    position = layer.position if isinstance(layer, MultiHeadAttention) and site.causal else None
    return [option.name for option in spanned(position, [parse(name) for name in names])]


def worthwhile(model: nn.Module, site: Site, names: Sequence[str]) -> bool:
    """Whether a planned layer does anything: a plan that leaves a causal layer whole still makes its steps one call of the library."""
    if any(name != "full" for name in names):
        return True
    layer = model.get_submodule(site.name)
    if not isinstance(layer, MultiHeadAttention) or site.kind == "cross" or not site.causal:
        return False
    return inseparable(layer) is None and unfit(layer) is None


def planned(model: nn.Module, site: Site, names: Sequence[str]) -> PlannedAttention:
    """The planned layer of a site; nothing is changed yet."""
    layer = model.get_submodule(site.name)
    if not isinstance(layer, MultiHeadAttention):
        raise Unsupported(f"{site.name} is a {type(layer).__name__}: a plan is for layers of heedful.MultiHeadAttention")
    if site.kind == "cross":
        raise Unsupported(f"{site.name} reads another stream, whose keys a plan leaves alone: full for all its heads would work")
    return PlannedAttention(layer, site, names)


def restore(parent: nn.Module, name: str, before: nn.Module, layer: nn.Module) -> None:
    """The old layer, in the mode that the new one was left in."""
    parent.register_module(name, before.train(layer.training))
