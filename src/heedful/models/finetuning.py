"""What learns of a Hugging Face encoder: all of it, or what stands beside it while it stays as it is.

LoRA (Hu et al. 2021, arXiv 2106.09685) by peft, a prefix (Li & Liang 2021, arXiv 2101.00190) through transformers' AttentionInterface,
and bottlenecks (Houlsby et al. 2019, arXiv 1902.00751) behind the layers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from heedful.errors import MissingExtra, Unsupported
from heedful.layers.adapters.bottleneck import Bottleneck
from heedful.layers.adapters.prefix import Prefix
from heedful.spec.classifier import PretrainedSpec

PREFIX, PROBE = "heedful_prefix", "heedful_probe"


def adapted(network: Any, spec: PretrainedSpec) -> list[nn.Parameter]:
    """Put the spec's adapter into the encoder, in place, and freeze the rest; the parameters that learn.

    Errors: `MissingExtra` without peft, `Unsupported` for an encoder in which nothing is found to stand beside.
    """
    if spec.adapter == "whole":
        return list(network.parameters())
    network.requires_grad_(False)
    if spec.adapter == "lora":
        return low_rank(network, spec.size)
    return prefixed(network, spec.size) if spec.adapter == "prefix" else narrowed(network, spec.size)


def low_rank(network: Any, rank: int) -> list[nn.Parameter]:
    """Low-rank changes beside every linear map of the layers."""
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise MissingExtra("peft", "adapt", "model.adapter lora") from None
    targets = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not targets:
        raise Unsupported(f"{type(network).__name__} has no linear maps for LoRA: model.adapter bottleneck would work")
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets), network)
    return [weight for name, weight in network.named_parameters() if "lora_" in name]


def narrowed(network: Any, size: int) -> list[nn.Parameter]:
    """A bottleneck behind every layer."""
    stacks = [module for module in network.modules() if isinstance(module, nn.ModuleList) and len({type(layer) for layer in module}) == 1]
    if not stacks:
        raise Unsupported(f"{type(network).__name__} has no stack of layers for bottlenecks: model.adapter lora would work")
    made: list[nn.Parameter] = []
    for layer in max(stacks, key=len):
        adapter = Bottleneck(int(network.config.hidden_size), size)
        layer.register_module("bottleneck", adapter)
        layer.register_forward_hook(behind)
        made += adapter.parameters()
    return made


def behind(layer: nn.Module, inputs: Any, out: Any) -> Any:
    """What the adapter makes of a layer's states."""
    adapter = layer.get_submodule("bottleneck")
    return (adapter(out[0]), *out[1:]) if isinstance(out, tuple) else adapter(out)


def prefixed(network: Any, size: int) -> list[nn.Parameter]:
    """Learned keys and values before those of the text, in every attention that goes through transformers' interface."""
    made: list[nn.Parameter] = []
    for module, heads, width in attending(network):
        module.register_module("prefix", Prefix(heads, size, width))
        made += module.get_submodule("prefix").parameters()
    if not made:
        raise Unsupported(f"{type(network).__name__} does not attend through AttentionInterface: model.adapter lora would work")
    serve(PREFIX, with_prefix)
    network.set_attn_implementation(PREFIX)
    return made


def attending(network: Any) -> list[tuple[nn.Module, int, int]]:
    """The modules that attend through the interface, with their key/value heads and widths, found by one pass over two tokens."""
    found: list[tuple[nn.Module, int, int]] = []

    def note(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **others: Any) -> Any:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        found.append((module, key.shape[1], key.shape[3]))
        return sdpa_attention_forward(module, query, key, value, mask, **others)

    before = network.config._attn_implementation
    serve(PROBE, note)
    network.set_attn_implementation(PROBE)
    try:
        with torch.no_grad():
            network(input_ids=torch.zeros(1, 2, dtype=torch.long), attention_mask=torch.ones(1, 2, dtype=torch.long))
    finally:
        network.set_attn_implementation(before)
    return found


def serve(name: str, function: Any) -> None:
    """Let transformers know an attention of ours by name, with the masks that torch's own takes."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(name, function)
    AttentionMaskInterface.register(name, sdpa_mask)


def with_prefix(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, **others: Any) -> Any:
    """Attention over the prefix and the text; the mask is widened by what every query may see."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    prefix = module.get_submodule("prefix")
    assert isinstance(prefix, Prefix)
    k, v = prefix.keys_values(len(key))
    if mask is not None:
        mask = pad(mask, (k.shape[2], 0), value=True if mask.dtype == torch.bool else 0.0)
    return sdpa_attention_forward(module, query, torch.cat([k, key], 2), torch.cat([v, value], 2), mask, **{**others, "is_causal": False})
