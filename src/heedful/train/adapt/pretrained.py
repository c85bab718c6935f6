"""Adapters beside a Hugging Face model: bottlenecks are our own modules behind its feed-forward parts, the prefix is peft's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from heedful.errors import MissingExtra, Unsupported
from heedful.layers.adapters.bottleneck import Bottleneck
from heedful.manage.objective import model_hash
from heedful.train.adapt.files import fill_adapter, read_adapter
from heedful.train.adapt.lora import quiet
from heedful.train.compress.pretrained import feeds_of, matrix

if TYPE_CHECKING:
    from peft import PeftModel

NAME = "bottleneck"


def insert_bottleneck(model: nn.Module, size: int) -> list[nn.Parameter]:
    """A bottleneck behind every feed-forward part of a known layout, in place; its parameters."""
    feeds = feeds_of(model)
    if not feeds:
        raise Unsupported(f"{type(model).__name__}: no feed-forward part of a known layout to stand behind: --method lora would work")
    made: list[nn.Parameter] = []
    for feed in feeds:
        down, weight = model.get_submodule(feed.down), matrix(model, feed.down)
        adapter = Bottleneck(weight.shape[0], size).to(weight.device, weight.dtype)
        down.register_module(NAME, adapter)
        down.register_forward_hook(behind)
        made += adapter.parameters()
    return made


def behind(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> Tensor:
    """What the adapter makes of a map's output."""
    found: Tensor = module.get_submodule(NAME)(output)
    return found


def attach(model: nn.Module, path: Path) -> nn.Module:
    """A Hugging Face model with the bottleneck adapter of a file beside it, in place.

    Raises `CheckpointError` for another file, `Unsupported` for another model than it was made for.
    """
    spec, tensors, base = read_adapter(path)
    if model_hash(model) != base:
        raise Unsupported(
            f"{path}: made for the model {base[:12]}, this one is {model_hash(model)[:12]}: the one it was adapted from would work"
        )
    insert_bottleneck(model, spec.size)
    fill_adapter(model, tensors, path)
    return model


def prefix(model: nn.Module, size: int) -> PeftModel:
    """A Hugging Face decoder with peft's prefix of `size` keys and values a layer."""
    try:
        from peft import PrefixTuningConfig, TaskType, get_peft_model
    except ImportError:
        raise MissingExtra("peft", "adapt", "heedful adapt --method prefix") from None
    if not type(model).__name__.endswith("ForCausalLM") and not type(model).__name__.endswith("LMHeadModel"):
        raise Unsupported(f"{type(model).__name__}: peft's prefix is for decoders: --method lora or bottleneck would work")
    with quiet():
        return get_peft_model(model, PrefixTuningConfig(task_type=TaskType.CAUSAL_LM, num_virtual_tokens=size))


def adapter_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The bottlenecks' tensors by name."""
    return {name: tensor for name, tensor in model.state_dict().items() if f".{NAME}." in name}
