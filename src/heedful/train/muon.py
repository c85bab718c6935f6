"""Muon: momentum whose update is made orthogonal, for the matrices inside a network (Jordan et al. 2024)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

ROUNDS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)


class Muon(torch.optim.Optimizer):
    """W <- (1 - rate decay) W - rate sqrt(max(1, rows / columns)) orthogonal(g + m M), with M <- m M + g.

    `momentum` is m, `weight_decay` is uncoupled from the gradient; every parameter must be a matrix, or the kernels of a
    convolution, which are read as one: a row an output channel.

    Source: K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
    """

    def __init__(self, params: Iterable[Any], lr: float = 0.02, weight_decay: float = 0.0, momentum: float = 0.95) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step, on all matrices of a shape at once."""
        loss = closure() if closure else None
        for group in self.param_groups:
            shapes: dict[torch.Size, list[Tensor]] = defaultdict(list)
            for weight in group["params"]:
                if weight.grad is not None:
                    shapes[weight.shape].append(weight)
            for weights in shapes.values():
                self.move(weights, group)
        return loss

    def move(self, weights: list[Tensor], group: dict[str, Any]) -> None:
        """Move weights of one shape."""
        rows, columns = weights[0].flatten(1).shape
        updates = orthogonal(torch.stack([self.lookahead(weight, group["momentum"]).flatten(1) for weight in weights]))
        rate = group["lr"] * max(1.0, rows / columns) ** 0.5
        for weight, update in zip(weights, updates, strict=True):
            weight.mul_(1.0 - group["lr"] * group["weight_decay"])
            weight.add_(update.view_as(weight), alpha=-rate)

    def lookahead(self, weight: Tensor, momentum: float) -> Tensor:
        """Nesterov's momentum: the gradient, and where the momentum will carry it."""
        gradient = weight.grad
        assert gradient is not None
        state = self.state[weight]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(weight)
        state["momentum"].mul_(momentum).add_(gradient)
        return gradient.add(state["momentum"], alpha=momentum)


def orthogonal(matrices: Float[Tensor, "n rows columns"]) -> Float[Tensor, "n rows columns"]:
    """About U Vᵀ of each matrix's U S Vᵀ: Newton-Schulz rounds that push every singular value towards 1 (to 0.7 ... 1.2).

    >>> _ = torch.manual_seed(0)
    >>> bool((torch.linalg.svdvals(orthogonal(torch.randn(2, 8, 32))) - 1).abs().max() < 0.4)
    True
    """
    a, b, c = QUINTIC
    tall = matrices.shape[-2] > matrices.shape[-1]
    x: Tensor = (matrices.mT if tall else matrices).to(working_type(matrices.device))
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    upright: Tensor = x.mT if tall else x
    return upright.to(matrices.dtype)


@cache
def working_type(device: torch.device) -> torch.dtype:
    """bfloat16 where the hardware multiplies it (three times as fast on a CPU with AMX), float32 elsewhere."""
    native = device.type == "cuda" or bool(torch.cpu.get_capabilities().get("amx_bf16", False))
    return torch.bfloat16 if native else torch.float32
