"""Models of Hugging Face's transformers that attend through its AttentionInterface."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from typing import Any, final

from torch import nn

from heedful.errors import Unsupported
from heedful.manage.hosts.attending import attending, words
from heedful.manage.hosts.host import Handler, Host
from heedful.manage.hosts.interface import served
from heedful.manage.site import Kind, Site

# What a call of the interface may hand over: what we compute by, and what only other implementations read.
COMPUTED = {"attention_mask", "query", "key", "value", "scaling", "dropout", "is_causal", "softcap", "s_aux", "position_bias"}
IDLE = {
    "sliding_window",
    "output_attentions",
    "position_ids",
    "deterministic",
    *(f"cu_seq_lens_{x}" for x in "qk"),
    *(f"max_length_{x}" for x in "qk"),
}
REFUSED = {
    "indices": "keys chosen by an indexer of its own",
    "block_indices": "blocks of keys chosen by an indexer of its own",
    "sinks": "sinks that depend on the query",
}
HEADS = ("num_heads", "num_attention_heads", "n_heads")
WIDTHS = ("qk_head_dim", "head_dim", "head_size", "attention_head_size", "key_value_proj_dim")
CROSSING = ("crossattention", "cross_attn", "encoder_attn", "EncDecAttention", "encdecattention")


@final
class HuggingFace(Host):
    """Every module of a PreTrainedModel that calls the interface."""

    def why_not(self, model: nn.Module) -> str | None:
        """Why this host cannot serve the model; None where it can."""
        if not pretrained(model):
            return "it is no model of Hugging Face's transformers"
        found = attending(model)
        if not found:
            return "none of its modules attends through transformers' AttentionInterface: its attention is code of its own"
        reasons = (unserved(name, module) for name, module in found)
        return next((reason for reason in reasons if reason is not None), None)

    def sites(self, model: nn.Module) -> tuple[Site, ...]:
        """Its attention layers."""
        return tuple(site(index, name, module) for index, (name, module) in enumerate(attending(model)))

    def watched(self, model: nn.Module, handler: Handler) -> AbstractContextManager[None]:
        """Within it every attention of the model is what `handler` gives; undone at the end."""
        modules = [module for _, module in attending(model)]
        places = {id(module): place for module, place in zip(modules, self.sites(model), strict=True)}
        configs = {id(config): config for config in (module.config for module in (*pretrained(model), *modules))}
        return served(list(configs.values()), places, handler)


def pretrained(model: nn.Module) -> list[Any]:
    """The Hugging Face models in a model, itself among them; transformers is not imported for those that are none."""
    if "transformers.modeling_utils" not in sys.modules:
        return []
    from transformers import PreTrainedModel

    return [module for module in model.modules() if isinstance(module, PreTrainedModel)]


def unserved(name: str, module: nn.Module) -> str | None:
    """Why the attention of one module cannot be computed elsewhere; None where it can."""
    for word in sorted((words(module) or frozenset()) - COMPUTED - IDLE):
        return f"{name} ({type(module).__name__}) attends with {word}, {REFUSED.get(word, 'which is not known here')}"
    try:
        site(0, name, module)
    except Unsupported as error:
        return str(error)
    return None


def site(index: int, name: str, module: Any) -> Site:
    """What is known of a module before it is called.

    Raises `Unsupported` where it does not say how many heads it has, or how wide they are.
    """
    d, heads = first(module, WIDTHS), first(module, HEADS) or first(module.config, HEADS)
    if d is None or heads is None:
        missing = "how wide its heads are" if d is None else "how many heads it has"
        raise Unsupported(f"{name} ({type(module).__name__}) does not say {missing}")
    shared = first(module, ("num_key_value_heads",)) or heads // (first(module, ("num_key_value_groups",)) or 1)
    kind: Kind = "cross" if crossing(name, module) else "self"
    back = kind == "self" and bool(getattr(module, "is_causal", True)) and getattr(module.config, "is_causal", True)
    window = own_window(module) if back else None
    return Site(index, name, heads, shared, d, first(module, ("v_head_dim",)) or d, back, kind, window)


def own_window(module: Any) -> int | None:
    """The keys that a query of a sliding layer sees, as the module says, or the configuration of one that does not."""
    if hasattr(module, "sliding_window"):
        return first(module, ("sliding_window",))
    types, place = getattr(module.config, "layer_types", None), getattr(module, "layer_idx", None)
    if types is not None and place is not None and types[place] != "sliding_attention":
        return None
    return first(module.config, ("sliding_window",)) if "sliding_window" in (words(module) or ()) else None


def first(holder: Any, names: tuple[str, ...]) -> int | None:
    """The first of some attributes that is there and a whole number."""
    found = (getattr(holder, name, None) for name in names)
    return next((value for value in found if isinstance(value, int)), None)


def crossing(name: str, module: Any) -> bool:
    """Whether keys and values come from another stream."""
    if getattr(module, "is_cross_attention", False) or "Cross" in type(module).__name__:
        return True
    return any(part in CROSSING for part in name.split("."))
