"""Models made of our own attention layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, final

import torch
from torch import Tensor, nn

from heedful.attention.attend import attend
from heedful.attention.masks.algebra import And
from heedful.attention.masks.mask import Mask
from heedful.attention.masks.window import Window
from heedful.attention.positions.biases import Biases
from heedful.attention.resolve import as_position
from heedful.layers.attention import AttentionLayer
from heedful.layers.block import TransformerBlock
from heedful.layers.lookahead import looks_back
from heedful.layers.multihead import MultiHeadAttention
from heedful.layers.span import AdaptiveSpan
from heedful.manage.apply.check import inseparable
from heedful.manage.hosts.host import Handler, Host
from heedful.manage.seen import Seen
from heedful.manage.site import Kind, Site


@final
class Ours(Host):
    """Every `AttentionLayer` in the model."""

    def why_not(self, model: nn.Module) -> str | None:
        """Why this host cannot serve the model; None where it can."""
        return None if layers(model) else "none of its modules is a heedful.MultiHeadAttention"

    def sites(self, model: nn.Module) -> tuple[Site, ...]:
        """Its attention layers; those of a block that read a context are left whole, since their caches hold no ragged keys."""
        across = {id(block.cross) for block in model.modules() if isinstance(block, TransformerBlock)}
        return tuple(site(index, name, layer, id(layer) in across) for index, (name, layer) in enumerate(layers(model)))

    @contextmanager
    def watched(self, model: nn.Module, handler: Handler) -> Iterator[None]:
        """Within it every attention of the model is what `handler` gives; undone at the end."""
        found = [layer for _, layer in layers(model)]
        before = [layer.core for layer in found]
        try:
            for layer, place in zip(found, self.sites(model), strict=True):
                layer.core = shown(place, handler)
            yield
        finally:
            for layer, core in zip(found, before, strict=True):
                layer.core = core


def layers(model: nn.Module) -> list[tuple[str, AttentionLayer]]:
    """The attention layers by name."""
    return [(name, module) for name, module in model.named_modules() if isinstance(module, AttentionLayer)]


def site(index: int, name: str, layer: AttentionLayer, across: bool = False) -> Site:
    """What is known of a layer before it is called; `across`: it reads a context."""
    w = layer.widths
    crossing = across or w.key_dim != w.dim or w.value_dim != w.dim
    fixed = crossing or (isinstance(layer, MultiHeadAttention) and inseparable(layer) is not None)
    back = looks_back(layer.mask)
    kind: Kind = "cross" if crossing else "self"
    return Site(index, name, w.heads, w.kv_heads, w.head_dim, w.head_dim, back, kind, seen_at_most(layer) if back else None, fixed)


def seen_at_most(layer: AttentionLayer) -> int | None:
    """The keys that a query sees at most: by the layer's mask, and by the widest of its learned spans."""
    own = own_window(layer.mask)
    if not isinstance(layer.position, AdaptiveSpan) or (span := max(layer.position.windows())) >= layer.position.longest:
        return own
    return span if own is None else min(own, span)


def own_window(mask: Mask | None) -> int | None:
    """The keys that a query sees at most by a layer's own mask, where a window says so and nothing widens it.

    >>> from heedful.masks import Causal, Sinks
    >>> own_window(Causal() & Window(8)), own_window(Causal() & (Window(8) | Sinks(2)))
    (8, None)
    """
    parts = mask.parts if isinstance(mask, And) else (mask,)
    return min((part.size for part in parts if isinstance(part, Window)), default=None)


def shown(place: Site, handler: Handler) -> Callable[..., Any]:
    """What stands in for `attend` in a layer: the handler's output, and the true weights where they are asked for."""

    def core(q: Tensor, k: Tensor, v: Tensor, *, return_weights: Any = False, **options: Any) -> Any:
        position = as_position(options.pop("position", None))
        if position is not None:
            at_k = torch.arange(k.shape[2], device=k.device)
            at_q = torch.arange(q.shape[2], device=k.device) + (k.shape[2] - q.shape[2])
            q, k = position.rotate(q, at_q), position.rotate(k, at_k)
            options["position"] = Biases(position) if position.adds_bias else None
        seen = Seen(place, q, k, v, options)  # type: ignore[arg-type]  # they are those of `attend`
        if return_weights is False:
            return handler(seen)
        return handler(seen), attend(q, k, v, return_weights=return_weights, **options)[1]

    return core
