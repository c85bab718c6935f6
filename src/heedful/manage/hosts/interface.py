"""transformers' AttentionInterface and AttentionMaskInterface, served under a name of our own while a model is watched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import pad

from heedful.attention.attend import attend
from heedful.attention.masks.causal import Causal
from heedful.attention.masks.dense import Dense
from heedful.attention.masks.mask import Mask
from heedful.attention.resolve import Options
from heedful.errors import Unsupported
from heedful.manage.hosts.host import Handler
from heedful.manage.hosts.rules import Places, rule_of
from heedful.manage.hosts.told import ToldMask
from heedful.manage.seen import Seen
from heedful.manage.site import Site

# Not "flash", "sdpa", "flex_attention" or a slash: transformers reads a meaning into those.
NAME = "heedful_{}"
SERIAL = count()
BLOCKED = 0.5  # of the least number of a type: a float mask says "no" by about that, and biases are nowhere near
Answer = tuple[Float[Tensor, "b q h v"], Float[Tensor, "b h q k"] | None]


@contextmanager
def served(configs: list[Any], places: Mapping[int, Site], handler: Handler) -> Iterator[None]:
    """Within it the models with these configurations attend by `handler`, at the sites that are given by their modules' ids."""
    from transformers import AttentionInterface, AttentionMaskInterface

    name = NAME.format(next(SERIAL))
    before = [config._attn_implementation_internal for config in configs]
    AttentionInterface.register(name, attention(places, handler))
    AttentionMaskInterface.register(name, told_mask)
    try:
        for config in configs:
            config._attn_implementation_internal = name
        yield
    finally:
        for config, implementation in zip(configs, before, strict=True):
            config._attn_implementation_internal = implementation
        AttentionInterface._global_mapping.pop(name, None)
        AttentionMaskInterface._global_mapping.pop(name, None)


def told_mask(
    batch_size: int,
    q_length: int,
    kv_length: int,
    q_offset: int | Tensor = 0,
    kv_offset: int = 0,
    mask_function: Callable[..., Any] | None = None,
    attention_mask: Bool[Tensor, "b n"] | None = None,
    use_vmap: bool = False,
    device: torch.device | str = "cpu",
    **others: Any,
) -> Tensor:
    """What AttentionMaskInterface calls: the mask as a rule where its function is known, as all its booleans where not.

    Keys of a static cache that were not written yet are left out rather than masked.
    """
    from transformers.masking_utils import causal_mask_function, sdpa_mask

    first = int(q_offset)
    function: Callable[..., Any] = mask_function or causal_mask_function
    rule = rule_of(function, attention_mask, Places(batch_size, q_length, kv_length, first, kv_offset, torch.device(device)))
    if rule is not None:
        return ToldMask.of(rule, (batch_size, 1, q_length, kv_length), torch.device(device))
    table = sdpa_mask(
        batch_size,
        q_length,
        kv_length,
        q_offset=first,
        kv_offset=kv_offset,
        mask_function=function,
        attention_mask=attention_mask,
        allow_is_causal_skip=False,
        use_vmap=use_vmap,
        device=device,
    )
    assert table is not None
    return table


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A call as transformers makes it of an attention function; `causal` is what it says of that, `weights` whether they are wanted."""

    module: Any
    q: Float[Tensor, "b h q d"]
    k: Float[Tensor, "b g k d"]
    v: Float[Tensor, "b g k v"]
    mask: Tensor | None
    scale: float | None
    dropout: float
    causal: bool
    softcap: float | None
    sinks: Float[Tensor, " h"] | None
    bias: Float[Tensor, "..."] | None
    weights: bool
    cache: object = None


def answered(answer: Callable[[Asked], Answer]) -> Callable[..., Answer]:
    """What is registered with AttentionInterface, whose manner of calling is written here and nowhere else."""

    def forward(
        module: Any,
        query: Float[Tensor, "b h q d"],
        key: Float[Tensor, "b g k d"],
        value: Float[Tensor, "b g k v"],
        attention_mask: Tensor | None = None,
        *,
        scaling: float | None = None,
        dropout: float = 0.0,
        is_causal: bool | None = None,
        softcap: float | None = None,
        s_aux: Float[Tensor, " h"] | None = None,
        position_bias: Float[Tensor, "..."] | None = None,
        output_attentions: bool | None = None,
        **others: Any,
    ) -> Answer:
        causal, weights = causal_alone(module, is_causal), bool(output_attentions or module.config.output_attentions)
        left = dropout if module.training else 0.0
        more = (scaling, left, causal, softcap, s_aux, position_bias, weights, others.get("cache"))
        return answer(Asked(module, query, key, value, attention_mask, *more))

    return forward


def attention(places: Mapping[int, Site], handler: Handler) -> Callable[..., Answer]:
    """What AttentionInterface calls: the handler's output, and the true weights where the model was asked for them."""

    def answer(call: Asked) -> Answer:
        if call.cache is not None:
            raise Unsupported(f"a {type(call.cache).__name__} keeps keys in pages: dynamic and static caches would work")
        mask, added, keys = heard(call.mask, call.causal, call.q.shape[2], call.k.shape[2])
        bias = summed(added, call.bias, keys)
        options: Options = {"mask": mask, "bias": bias, "scale": call.scale, "softcap": call.softcap, "sink_logits": call.sinks}
        options["dropout"] = call.dropout
        q, k, v = call.q.expand(len(call.k), -1, -1, -1), call.k[:, :, :keys], call.v[:, :, :keys]
        # A second model may have been made from the same configuration: its modules are none of the sites.
        site = places.get(id(call.module))
        out = attend(q, k, v, **options) if site is None else handler(fitting(Seen(site, q, k, v, options)))
        weights = pad(attend(q, k, v, return_weights=True, **options)[1], (0, call.k.shape[2] - keys)) if call.weights else None
        return out.transpose(1, 2).contiguous(), weights

    return answered(answer)


def causal_alone(module: Any, said: bool | None) -> bool:
    """Whether a module that is given no mask looks back only: as the call says, or the module, as transformers' own functions do."""
    return bool(said if said is not None else getattr(module, "is_causal", True))


def heard(mask: Tensor | None, causal: bool, queries: int, keys: int) -> tuple[Mask | None, Tensor | None, int]:
    """A mask of transformers as ours, what it adds to the scores besides, and how many of the keys there are.

    Without a mask a causal module counts queries and keys both from the first, a step of one query excepted.
    """
    if mask is None:
        if not causal or queries == 1:
            return None, None, keys
        rows = torch.ones(queries, keys, dtype=torch.bool).tril() if queries > keys else None
        return (Causal(), None, queries) if rows is None else (Dense(rows), None, keys)
    if mask.shape[-1] != keys:
        raise Unsupported(f"a mask for {mask.shape[-1]} keys came with {keys} keys: such a cache cannot be managed")
    if isinstance(mask, ToldMask):
        return mask.rule.mask, None, mask.rule.keys
    if mask.dtype == torch.bool:
        return Dense(mask), None, keys
    allowed = mask > torch.finfo(mask.dtype).min * BLOCKED
    rest = mask.masked_fill(~allowed, 0.0)
    return Dense(allowed), rest if bool(rest.any()) else None, keys


def summed(added: Tensor | None, position_bias: Tensor | None, keys: int) -> Tensor | None:
    """What is added to the scores; zeros that nothing is learnt through are nothing."""
    if position_bias is None:
        return added
    bias = position_bias[..., :keys]
    if not bias.requires_grad and not bool(bias.any()):
        return added
    return bias if added is None else bias + added


def fitting(seen: Seen) -> Seen:
    """The call, where its heads are of the sizes that were announced: what is planned for some must not be done to others."""
    site, found = seen.site, (seen.q.shape[1], seen.k.shape[1], seen.q.shape[3], seen.v.shape[3])
    if found != (site.heads, site.kv_heads, site.d, site.v):
        raise Unsupported(
            f"{site.name} was taken for {site.heads} heads on {site.kv_heads}, {site.d} and {site.v} wide: "
            f"found {found[0]} on {found[1]}, {found[2]} and {found[3]} wide"
        )
    return seen
