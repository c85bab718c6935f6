"""Which parameters decay, which are Muon's, and how fast each group learns at a step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from heedful.layers.attention import AttentionLayer
from heedful.layers.embed import TokenEmbedding
from heedful.spec.train import TrainSpec
from heedful.train.adamw import AdamW
from heedful.train.muon import Muon
from heedful.train.schedule import factor

EMBEDDINGS = (nn.Embedding, TokenEmbedding)
PIXEL = 3  # channels of a picture, at most


def optimisers(model: nn.Module, spec: TrainSpec) -> list[torch.optim.Optimizer]:
    """AdamW over all parameters, or Muon over the hidden matrices and AdamW over the rest.

    Every group remembers its peak rate under "peak".

    >>> model = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 4), nn.LayerNorm(4))
    >>> [type(o).__name__ for o in optimisers(model, TrainSpec(optimiser="muon"))]
    ['Muon', 'AdamW']
    """
    matrices = hidden_matrices(model) if spec.optimiser == "muon" else []
    mine = {id(weight) for weight in matrices}
    rest = [(name, weight) for name, weight in model.named_parameters() if weight.requires_grad and id(weight) not in mine]
    made: list[torch.optim.Optimizer] = []
    if matrices:
        group = {"params": matrices, "peak": spec.matrix_rate, "weight_decay": spec.weight_decay}
        made.append(Muon([group], lr=spec.matrix_rate))
    made.append(adamw(decay_groups(model, rest, spec), spec))
    return made


def adamw(groups: list[dict[str, Any]], spec: TrainSpec) -> torch.optim.Optimizer:
    """AdamW, one fused kernel where the parameters are floating point on a device that has it (CPU and CUDA do)."""
    weights = [weight for group in groups for weight in group["params"]]
    if all(weight.is_floating_point() and weight.device.type == "cpu" for weight in weights):
        return AdamW(groups, spec.learning_rate, spec.betas)
    fused = all(weight.is_floating_point() and weight.device.type in ("cpu", "cuda") for weight in weights)
    return torch.optim.AdamW(groups, lr=spec.learning_rate, betas=spec.betas, fused=fused)


def decay_groups(model: nn.Module, named: list[tuple[str, nn.Parameter]], spec: TrainSpec) -> list[dict[str, Any]]:
    """Matrices decay; norms, biases, single numbers and (if the spec says so) embeddings do not."""
    spared = set() if spec.decay_embeddings else {id(module.weight) for module in model.modules() if isinstance(module, EMBEDDINGS)}
    decayed = [weight for _, weight in named if weight.dim() >= 2 and id(weight) not in spared]
    mine = {id(weight) for weight in decayed}
    kept = [weight for _, weight in named if id(weight) not in mine]
    groups = [(decayed, spec.weight_decay), (kept, 0.0)]
    return [{"params": weights, "weight_decay": decay, "peak": spec.learning_rate} for weights, decay in groups if weights]


def hidden_matrices(model: nn.Module) -> list[Tensor]:
    """The weights of linear layers, convolutions and attention: not the embeddings, not the output that is as tall as one of them.

    Nor what reads pixels, and says classes, in a model of pictures: kernels of at most three channels, and linear layers named head.
    """
    embeddings = [module.weight for module in model.modules() if isinstance(module, EMBEDDINGS)]
    tall = {len(weight) for weight in embeddings}
    outputs = [weight for module in model.modules() if isinstance(module, nn.AdaptiveLogSoftmaxWithLoss) for weight in module.parameters()]
    spared = {id(weight) for weight in (*embeddings, *outputs)}
    pictured = [module for module in model.modules() if isinstance(module, nn.Conv2d) and module.in_channels > PIXEL]
    heads = {id(weight) for name, weight in model.named_parameters() if pictured and name == "head.weight"}
    spared |= heads
    linear: list[Tensor] = [module.weight for module in model.modules() if isinstance(module, nn.Linear)]
    linear += [module.weight for module in pictured]
    linear += [weight for module in model.modules() if isinstance(module, AttentionLayer) for weight in module.matrices()]
    return [weight for weight in linear if id(weight) not in spared and len(weight) not in tall and weight.requires_grad]


def set_rates(optimisers: Iterable[torch.optim.Optimizer], spec: TrainSpec, step: int, total: int) -> float:
    """Give every group its rate for this step; returns the share of the peak."""
    share = factor(spec.schedule, step, total, spec.warmup, spec.floor)
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * share
    return share
