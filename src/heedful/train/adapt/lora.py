"""LoRA by peft: low-rank changes of the matrices (Hu et al. 2021, arXiv 2106.09685), merged back or kept in peft's own files."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from torch import nn

from heedful.errors import MissingExtra, Unsupported
from heedful.layers.attention import AttentionLayer

if TYPE_CHECKING:
    from peft import PeftModel

OURS = ("out_proj", "up", "down")


def lora(model: nn.Module, rank: int) -> PeftModel:
    """The model with a low-rank change beside its matrices, in place; of ours also beside the packed queries, keys and values.

    Raises `MissingExtra` without peft, `Unsupported` for a model in which it finds nothing to change.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise MissingExtra("peft", "adapt", "heedful adapt --method lora") from None
    packed = packed_of(model)
    targets = list(OURS) if packed or ours(model) else "all-linear"
    turned = any(type(module).__name__ == "Conv1D" for module in model.modules())
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets, target_parameters=packed or None, fan_in_fan_out=turned)
    try:
        with quiet():
            return get_peft_model(model, config)
    except ValueError as error:
        raise Unsupported(f"LoRA finds nothing to change in {type(model).__name__}: {' '.join(str(error).split())}") from None


@contextmanager
def quiet() -> Iterator[None]:
    """What peft calls in transformers by an older name is none of the user's business."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        yield


def packed_of(model: nn.Module) -> list[str]:
    """The paths of packed projections, which are parameters and no modules."""
    layers = [(name, module) for name, module in model.named_modules() if isinstance(module, AttentionLayer)]
    if any(module.in_proj is not None for _, module in layers):
        raise Unsupported(
            "the weights are in eight bits, which cannot learn: --method prefix or bottleneck, or the run they were made from, would work"
        )
    return [f"{name}.in_proj_weight" for name, module in layers if module.in_proj_weight is not None]


def ours(model: nn.Module) -> bool:
    """Whether the attention is ours."""
    return any(isinstance(module, AttentionLayer) for module in model.modules())


def learning(model: nn.Module) -> list[nn.Parameter]:
    """The low-rank matrices."""
    return [parameter for name, parameter in model.named_parameters() if "lora_" in name]


def merged(model: nn.Module) -> nn.Module:
    """The model with the changes in its own matrices, of the parts it had before; in place.

    The innermost first: peft's own unloading leaves a layer inside a layer behind.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    found = [name for name, module in model.named_modules() if isinstance(module, BaseTunerLayer)]
    for name in sorted(found, key=lambda name: -name.count(".")):
        layer = model.get_submodule(name)
        assert isinstance(layer, BaseTunerLayer)
        layer.merge(safe_merge=True)
        parent, _, last = name.rpartition(".")
        model.get_submodule(parent).register_module(last, layer.get_base_layer())
    return model
