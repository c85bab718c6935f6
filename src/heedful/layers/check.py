"""What a layer refuses: widths and lengths that do not fit, options that exclude each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from heedful.errors import ShapeError, Unsupported, UsageError
from heedful.layers.cache.cache import Cache, Past
from heedful.layers.cache.context import ContextCache

if TYPE_CHECKING:
    from heedful.layers.multihead import MultiHeadAttention


def check_memory(layer: MultiHeadAttention) -> None:
    """Options that leave each other nothing to do."""
    if layer.memory and (layer.mask is not None or layer.position is not None):
        raise UsageError("memory= reads learned slots, which have no place in the sequence: leave mask= and position= out")
    if layer.transposed and (layer.memory or layer.widths.kv_heads != layer.widths.heads):
        raise UsageError(
            f"transposed=True exchanges queries and keys, one for one: found {layer.widths.heads} and {layer.widths.kv_heads} heads, "
            f"memory={layer.memory}; as many key heads as query heads and no memory would work"
        )


def check_call(
    layer: MultiHeadAttention, x: Tensor, context: Tensor | None, values: Tensor | None, cache: Past | ContextCache | None
) -> None:
    """Inputs (b, t, width) as wide as the layer was made for, and a context where it needs one."""
    w = layer.widths
    if x.dim() != 3 or x.shape[-1] != w.dim:
        raise ShapeError(f"this layer takes x (b, t, {w.dim}): found {tuple(x.shape)}")
    if isinstance(cache, Past) and not isinstance(cache, Cache):
        raise Unsupported(f"a {type(cache).__name__} belongs to the layer that made it: this layer's own new_cache() would work")
    if context is None and values is None and cache is None and (w.packed or layer.memory):
        return
    if layer.memory:
        check_alone(context, values, cache)
        return
    if isinstance(cache, ContextCache) and layer.transposed:
        raise Unsupported("transposed=True needs the keys of x itself, which a ContextCache does not hold: a call without cache would work")
    if isinstance(cache, Cache) and context is not None:
        raise Unsupported(f"a {type(cache).__name__} holds the keys of x itself: for a context, ContextCache() would work")
    check_context_widths(layer, x, context, values, cached=isinstance(cache, ContextCache) and cache.filled)


def check_alone(context: Tensor | None, values: Tensor | None, cache: object) -> None:
    """A learned memory stands in place of any context."""
    if context is not None or values is not None:
        raise Unsupported("a layer with memory= reads its learned slots: found a context too; a layer without memory would work")
    if cache is not None:
        raise Unsupported("a layer with memory= looks at no other token, so it has nothing to cache: cache=None gives the same in steps")


def check_context_widths(layer: MultiHeadAttention, x: Tensor, context: Tensor | None, values: Tensor | None, cached: bool) -> None:
    """Keys and values of the widths the layer was made for, of x's batch and of one length."""
    w = layer.widths
    if context is None and not w.packed and not cached:
        raise ShapeError(f"this layer attends to a context (b, k, {w.key_dim}){of_values(w.value_dim, w.key_dim)}: found none")
    if values is None and context is not None and w.value_dim != w.key_dim:
        raise ShapeError(f"this layer reads values from a tensor of their own, values= (b, k, {w.value_dim}): found none")
    for name, found, width in (("a context", context, w.key_dim), ("values", values, w.value_dim)):
        if found is not None and (found.dim() != 3 or found.shape[-1] != width or len(found) != len(x)):
            raise ShapeError(f"this layer takes {name} ({len(x)}, k, {width}) with x {tuple(x.shape)}: found {tuple(found.shape)}")
    keys = x if context is None else context
    if values is not None and values.shape[1] != keys.shape[1]:
        raise ShapeError(f"keys and values are read from one length: found {tuple(keys.shape)} and {tuple(values.shape)}")
    if layer.transposed and context is not None and context.shape[1] != x.shape[1]:
        raise ShapeError(f"transposed=True needs a context as long as x: found {context.shape[1]} and {x.shape[1]}")


def of_values(value_dim: int, key_dim: int) -> str:
    """The part of a message about values of another width."""
    return "" if value_dim == key_dim else f" and values= (b, k, {value_dim})"
