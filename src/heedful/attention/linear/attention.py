"""The door of linear attention: one function, every form of it (Katharopoulos et al. 2020, 2006.16236)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, overload

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from heedful.attention.check import check_tensors
from heedful.attention.linear.chunked import chunked
from heedful.attention.linear.feature_map import FeatureMap
from heedful.attention.linear.naive import naive
from heedful.attention.linear.parallel import parallel
from heedful.attention.linear.recurrent import recurrent
from heedful.attention.linear.state import State, empty
from heedful.attention.linear.table import FEATURE_MAPS
from heedful.attention.mechanism import Shape, find
from heedful.errors import ShapeError, Unsupported, UsageError, unknown

Form = Callable[[Tensor, Tensor, Tensor, bool, State], tuple[Tensor, State]]

FORMS: Mapping[str, Form] = {"naive": naive, "parallel": parallel, "chunked": chunked, "recurrent": recurrent}
CAUSAL_ONLY = ("chunked", "recurrent")


@overload
def linear_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    feature_map: str | FeatureMap = ...,
    causal: bool = ...,
    key_mask: Tensor | None = ...,
    form: str = ...,
    state: State | None = ...,
    return_state: Literal[False] = ...,
) -> Tensor: ...
@overload
def linear_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    *,
    feature_map: str | FeatureMap = ...,
    causal: bool = ...,
    key_mask: Tensor | None = ...,
    form: str = ...,
    state: State | None = ...,
    return_state: Literal[True],
) -> tuple[Tensor, State]: ...
def linear_attention(
    q: Float[Tensor, "b h q d"],
    k: Float[Tensor, "b g k d"],
    v: Float[Tensor, "b g k v"],
    *,
    feature_map: str | FeatureMap = "elu1",
    causal: bool = False,
    key_mask: Bool[Tensor, "b k"] | None = None,
    form: str = "auto",
    state: State | None = None,
    return_state: bool = False,
) -> Float[Tensor, "b h q v"] | tuple[Float[Tensor, "b h q v"], State]:
    """Attention whose weights are φ(q)·φ(k) over their sum, at a cost linear in the length.

    >>> import torch
    >>> q, k, v = torch.randn(2, 8, 100, 16), torch.randn(2, 2, 100, 16), torch.randn(2, 2, 100, 32)
    >>> linear_attention(q, k, v, causal=True).shape  # query head i reads key/value head i // 4
    torch.Size([2, 8, 100, 32])

    The state after some tokens is all that the next ones need:

    >>> start, state = linear_attention(q[:, :, :60], k[:, :, :60], v[:, :, :60], causal=True, return_state=True)
    >>> rest = linear_attention(q[:, :, 60:], k[:, :, 60:], v[:, :, 60:], causal=True, state=state)
    >>> torch.allclose(torch.cat([start, rest], 2), linear_attention(q, k, v, causal=True), atol=1e-5)
    True

    Args:
        q: queries (b, h, q, d).
        k: keys (b, g, k, d).
        v: values (b, g, k, v).
        feature_map: φ, a name or an instance.
        causal: a query sees the keys up to its own; the last query stands at the last key.
        key_mask: (b, k), True for the keys that may be attended to. A query with none gets zeros.
        form: "parallel", "chunked" and "recurrent" (both causal only), "naive" (quadratic), or "auto".
        state: what came before these keys.
        return_state: give (out, state) with these keys in it; the state stays in at least float32.

    Raises:
        ShapeError: sizes that do not fit, or a `key_mask` that is not boolean.
        UsageError: an unknown form or feature map.
        Unsupported: a causal form for attention that is not.
    """
    run, phi = FORMS[_chosen(form, causal, q.shape[2])], as_feature_map(feature_map)
    check_tensors(q, k, v)
    if q.shape[-1] != k.shape[-1]:
        raise ShapeError(f"linear attention needs queries and keys of one width, but q is {tuple(q.shape)} and k {tuple(k.shape)}")
    with torch.autocast(q.device.type, enabled=False):  # sums over a whole text are kept in float32
        keys, values = _features(phi, k, v, key_mask)
        out, after = run(phi.queries(q), keys, values, causal, _started(keys, values, state))
    return (out.to(q.dtype), after) if return_state else out.to(q.dtype)


def step(
    q: Float[Tensor, "b h d"],
    k: Float[Tensor, "b g d"],
    v: Float[Tensor, "b g v"],
    state: State | None = None,
    *,
    feature_map: str | FeatureMap = "elu1",
) -> tuple[Float[Tensor, "b h v"], State]:
    """One token of causal decoding: its output, and the state with it.

    >>> import torch
    >>> out, state = step(torch.randn(1, 4, 8), torch.randn(1, 2, 8), torch.randn(1, 2, 8))
    >>> out.shape, state.s.shape
    (torch.Size([1, 4, 8]), torch.Size([1, 2, 8, 8]))
    """
    out, after = linear_attention(
        q[:, :, None], k[:, :, None], v[:, :, None], feature_map=feature_map, causal=True, form="recurrent", state=state, return_state=True
    )
    return out[:, :, 0], after


def as_feature_map(feature_map: str | FeatureMap) -> FeatureMap:
    """The feature map itself, or the plain one of that name."""
    if isinstance(feature_map, FeatureMap):
        return feature_map
    row = find("feature map", FEATURE_MAPS, feature_map)
    if not row.plain:
        raise UsageError(f"feature_map={feature_map!r} has sizes of its own: pass an instance, heedful.linear.{row.kind.__name__}(d=...)")
    return row.build(Shape(1, 1, 1, 1, 1), {})


def _chosen(form: str, causal: bool, queries: int) -> str:
    if form == "auto":
        return "parallel" if not causal else "recurrent" if queries == 1 else "chunked"
    if form not in FORMS:
        raise unknown("form of linear attention", form, ["auto", *FORMS])
    if form in CAUSAL_ONLY and not causal:
        raise Unsupported(f"the {form} form of linear attention is causal, but causal=False was asked: 'parallel' or 'naive' would work")
    return form


def _features(
    phi: FeatureMap, k: Float[Tensor, "b g k d"], v: Float[Tensor, "b g k v"], key_mask: Bool[Tensor, "b k"] | None
) -> tuple[Float[Tensor, "b g k f"], Float[Tensor, "b g k v"]]:
    if key_mask is None:
        keys: Tensor = phi(k)
        return keys, v.to(keys.dtype)
    if key_mask.dtype != torch.bool or key_mask.shape != (k.shape[0], k.shape[2]):
        found = f"{key_mask.dtype}, {tuple(key_mask.shape)}"
        raise ShapeError(f"key_mask must be boolean, (b, k) = {(k.shape[0], k.shape[2])}, True for keys to attend to: found {found}")
    # Masked keys and values are emptied before they are mapped, so that whatever stands there reaches no gradient either.
    shut = ~key_mask[:, None, :, None]
    keys = phi(k.masked_fill(shut, 0.0)).masked_fill(shut, 0.0)
    return keys, v.masked_fill(shut, 0.0).to(keys.dtype)


def _started(k: Float[Tensor, "b g k f"], v: Float[Tensor, "b g k v"], state: State | None) -> State:
    fresh = empty(k, v)
    if state is None:
        return fresh
    if state.s.shape != fresh.s.shape or state.z.shape != fresh.z.shape:
        raise ShapeError(
            f"the state given is s {tuple(state.s.shape)}, z {tuple(state.z.shape)}: these keys and this feature map need "
            f"s {tuple(fresh.s.shape)}, z {tuple(fresh.z.shape)}"
        )
    return State(state.s.to(k.dtype), state.z.to(k.dtype))
