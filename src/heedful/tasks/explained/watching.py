"""The attention of a model as methods see it: kept, under changed rules of the backward pass, or without some heads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Literal, NamedTuple

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor, nn

from heedful.attention.select import Select
from heedful.attention.weightings.softmax import Softmax
from heedful.errors import Unsupported
from heedful.explanations.rules.norms import frozen
from heedful.explanations.rules.rules import Rules
from heedful.explanations.rules.softened import share, softened
from heedful.explanations.subject import Look
from heedful.layers.attention import AttentionLayer
from heedful.manage.hosts.host import Handler
from heedful.manage.hosts.projections import output
from heedful.manage.seen import Seen
from heedful.manage.site import Site
from heedful.manage.watch import host_of, watched


def unwatched(model: nn.Module) -> str | None:
    """Why the attention of a model cannot be seen; None where it can."""
    try:
        host_of(model).sites(model)
    except Unsupported as error:
        return str(error)
    return None


class Named(NamedTuple):
    """What readers call an attention layer, and of which stream its queries and keys are."""

    name: str
    side: Literal["self", "source", "cross"]


def named(site: Site) -> Named:
    """A layer by its number, from 1."""
    return Named(f"layer {site.index + 1}", "cross" if site.kind == "cross" else "self")


def two_streams(site: Site, source: str) -> Named:
    """A layer of a model that reads one stream in its part `source`, and looks across from another."""
    part, _, rest = site.name.partition(".")
    number = int(rest.partition(".")[0]) + 1
    if part == source:
        return Named(f"reading layer {number}", "source")
    crossed = rest.endswith(".cross")
    return Named(f"{'looking across' if crossed else 'writing'}, layer {number}", "cross" if crossed else "self")


@contextmanager
def kept(model: nn.Module, into: list[Look], naming: Callable[[Site], Named] = named) -> Iterator[None]:
    """Within it every attention layer that is passed is put into a list, in the order of the pass."""

    def handler(seen: Seen) -> Tensor:
        out: Tensor = seen.attend()
        into.append(look_of(model, seen, out, naming(seen.site)))
        return out

    with watched(model, handler):
        yield


def look_of(model: nn.Module, seen: Seen, out: Float[Tensor, "b h q v"], called: Named) -> Look:
    """A layer as it was passed; its weights are made again when they are asked for."""
    still = replace(seen, q=seen.q.detach(), k=seen.k.detach(), v=seen.v.detach())

    def rows(first: int, end: int) -> Tensor:
        with torch.no_grad():
            weights: Tensor = still.attend(return_weights=Select(queries=range(first, end)))[1]
        return weights[0]

    ratio = seen.q.shape[1] // seen.v.shape[1]
    values = repeat(still.v[0], "g k v -> (g r) k v", r=ratio)
    return Look(called.name, rows, out, values, written(model, seen.site), called.side)


def written(model: nn.Module, site: Site) -> Float[Tensor, "h v m"] | None:
    """What each head's output adds to the stream; None where the projection was not found."""
    module = model.get_submodule(site.name)
    if isinstance(module, AttentionLayer):
        weight = module.out_proj.weight.detach()
        return weight.mT.reshape(site.heads, site.v, weight.shape[0])
    try:
        return output(model, site).weight.detach()
    except Unsupported:
        return None


@contextmanager
def ruled(model: nn.Module, rules: Rules, attends: bool) -> Iterator[None]:
    """Within it backward passes follow the rules; `attends` says whether the model's attention can be seen."""
    with ExitStack() as stack:
        if rules.frozen_norms:
            stack.enter_context(frozen(model))
        if rules.attends and attends:
            stack.enter_context(watched(model, changed(rules)))
        yield


def changed(rules: Rules) -> Handler:
    """Attention with the same output and another gradient."""

    def handler(seen: Seen) -> Tensor:
        if rules.values_only:
            held: Tensor = replace(seen, q=seen.q.detach(), k=seen.k.detach()).attend()
            return held
        of_q, of_k, of_v = rules.shares
        shared = replace(seen, q=share(seen.q, of_q), k=share(seen.k, of_k))
        weights: Tensor = shared.attend(return_weights=True)[1]
        if is_softmax(seen):
            weights = softened(weights, rules.temperature)
        values = repeat(share(seen.v, of_v), "b g k v -> b (g r) k v", r=seen.q.shape[1] // seen.v.shape[1])
        return weights @ values

    return handler


def is_softmax(seen: Seen) -> bool:
    """Whether a temperature means something here: other weightings keep their own gradient."""
    weighting = seen.options.get("weighting", "softmax")
    return weighting == "softmax" or isinstance(weighting, Softmax)


@contextmanager
def without(model: nn.Module, heads: Sequence[tuple[int, int]]) -> Iterator[None]:
    """Within it row i of a batch lacks head heads[i], (layer, head) counted from 0 in the order of the model."""

    def handler(seen: Seen) -> Tensor:
        out: Tensor = seen.attend()
        left = torch.ones(len(heads), out.shape[1], 1, 1, dtype=out.dtype, device=out.device)
        for row, (layer, head) in enumerate(heads):
            if layer == seen.site.index:
                left[row, head] = 0.0
        return out * left

    with watched(model, handler):
        yield
