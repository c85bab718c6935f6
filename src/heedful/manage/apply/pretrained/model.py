"""A Hugging Face model under a plan: its interface served by ours, and caches of the plan given to it unasked."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface, AttentionMaskInterface, DynamicCache, EncoderDecoderCache

from heedful.errors import Unsupported
from heedful.manage.apply.pretrained.attending import attention
from heedful.manage.apply.pretrained.cache import planned_cache
from heedful.manage.apply.pretrained.layer import PlannedSite
from heedful.manage.apply.pretrained.slicing import slice_site
from heedful.manage.apply.pretrained.told import told_apart
from heedful.manage.hosts.attending import attending, words
from heedful.manage.hosts.interface import NAME, SERIAL
from heedful.manage.hosts.pretrained import pretrained
from heedful.manage.site import Site

Places = Mapping[int, PlannedSite]


def change(model: nn.Module, sites: Sequence[Site], choices: Sequence[Sequence[str]], dense_below: int | None, stack: ExitStack) -> None:
    """Give the model's heads their options; all of it is undone when `stack` closes."""
    modules = [module for _, module in attending(model)]
    places = {
        id(module): PlannedSite(site, module, names, dense_below) for module, site, names in zip(modules, sites, choices, strict=True)
    }
    check(model, places)
    for planned in places.values():
        slice_site(model, planned, stack)
    serve(model, modules, places, stack)
    keepers = [planned for planned in places.values() if caches(planned)]
    if keepers:
        give_caches(model, keepers, stack)


def check(model: Any, places: Places) -> None:
    """What cannot be applied, by name."""
    for planned in places.values():
        site = planned.site
        if site.kind == "cross" and any(name not in ("full", "drop") for name in planned.choices):
            raise Unsupported(f"{site.name} reads another stream, whose keys have no distance to its queries: full or drop would work")
        reason = uncached(planned)
        if planned.evicts and reason is not None:
            raise Unsupported(f"{site.name} {reason}, so no keys can be thrown out of its cache: a plan for phase prefill would work")
    shared = getattr(model.config.get_text_config(decoder=True), "num_kv_shared_layers", 0)
    if shared and any(not planned.whole for planned in places.values()):
        raise Unsupported(f"{type(model).__name__}: its last {shared} layers read the keys of others, which a plan would take from them")


def caches(planned: PlannedSite) -> bool:
    """Whether a site's keys are kept as the plan says."""
    return planned.site.kind == "self" and uncached(planned) is None


def uncached(planned: PlannedSite) -> str | None:
    """Why a site's keys stay in whatever cache the model uses, and steps see of them what the plan's masks show; None where not."""
    if not planned.site.causal:
        return "looks ahead and keeps nothing"
    if "position_bias" in (words(planned.module) or ()):
        return "adds a bias by place"
    if getattr(planned.module, "kv_lora_rank", None) is not None:
        return "makes its keys from compressed ones"
    return None


def serve(model: nn.Module, modules: Sequence[Any], places: Places, stack: ExitStack) -> None:
    """Register our functions under a name of their own, and have the model use it."""
    name = NAME.format(next(SERIAL))
    AttentionInterface.register(name, attention(places))
    AttentionMaskInterface.register(name, told_apart)
    stack.callback(AttentionInterface._global_mapping.pop, name, None)
    stack.callback(AttentionMaskInterface._global_mapping.pop, name, None)
    for config in {id(config): config for config in (module.config for module in (*pretrained(model), *modules))}.values():
        stack.callback(setattr, config, "_attn_implementation_internal", config._attn_implementation_internal)
        config._attn_implementation_internal = name


def give_caches(model: Any, keepers: Sequence[PlannedSite], stack: ExitStack) -> None:
    """A plan's cache wherever the model would make one of its own: in a call without one, and in `generate`."""
    signature = inspect.signature(model.forward)

    def before(module: Any, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given = signature.bind_partial(*args, **named).arguments
        uses = given.get("use_cache")
        uses = module.config.use_cache if uses is None else uses
        learns = torch.is_grad_enabled() and any(parameter.requires_grad for parameter in module.parameters())
        if uses and given.get("past_key_values") is None and not module.training and not learns:
            named = {**named, "past_key_values": wrapped(module, planned_cache(module, keepers))}
        return args, named

    if "past_key_values" in signature.parameters:
        handle = model.register_forward_pre_hook(before, with_kwargs=True)
        stack.callback(handle.remove)
    if "_prepare_cache_for_generation" not in dir(model):
        return
    prepare = model._prepare_cache_for_generation

    def preparing(generation_config: Any, model_kwargs: dict[str, Any], *rest: Any, **named: Any) -> Any:
        asked = model_kwargs.get("past_key_values")
        answer = prepare(generation_config, model_kwargs, *rest, **named)
        if asked is None and generation_config.cache_implementation in (None, "dynamic") and "past_key_values" in model_kwargs:
            if generation_config.prefill_chunk_size is not None and any(planned.evicts for planned in keepers):
                raise Unsupported("a plan that evicts needs the whole prompt at once: prefill_chunk_size=None would work")
            model_kwargs["past_key_values"] = wrapped(model, planned_cache(model, keepers))
        return answer

    model._prepare_cache_for_generation = preparing
    stack.callback(model.__dict__.pop, "_prepare_cache_for_generation", None)


def wrapped(model: Any, cache: DynamicCache) -> Any:
    """The cache as the model takes it."""
    if not model.config.is_encoder_decoder:
        return cache
    return EncoderDecoderCache(cache, DynamicCache(config=model.config.get_text_config(decoder=True)))
