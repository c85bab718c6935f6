"""What a layer spends at each place, and the spending of a whole model while a context lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.layers.gates.gate import opening


@final
class Meter(nn.Module):
    """a = σ(x · w + b), (b, n, 1): what a layer spends at each place."""

    def __init__(self, dim: int, start: float) -> None:
        super().__init__()
        self.start = start
        self.w = nn.Parameter(torch.empty(dim))
        self.b = nn.Parameter(torch.empty(1))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Back to a = start everywhere."""
        nn.init.zeros_(self.w)
        nn.init.constant_(self.b, opening(self.start))

    def forward(self, x: Float[Tensor, "b n c"], real: Bool[Tensor, "b n"] | None) -> Float[Tensor, "b n 1"]:
        """a; `real` is passed for those who watch the meter (see `spending`)."""
        return torch.sigmoid(x @ self.w[:, None] + self.b)


def average(a: Float[Tensor, "b n 1"], real: Bool[Tensor, "b n"] | None) -> Float[Tensor, ""]:
    """The mean of `a` over the real places; 0 where there is none."""
    if real is None:
        return a.mean()
    return a.masked_fill(~real.unsqueeze(-1), 0.0).sum() / real.sum().clamp(min=1)


@dataclass(slots=True)
class Spending:
    """What each layer spent on the calls so far: the mean of a, by the layer's name, each with its gradient."""

    layers: dict[str, list[Float[Tensor, ""]]] = field(default_factory=dict)

    def mean(self) -> Float[Tensor, ""]:
        """The mean over the layers (and over the calls of each)."""
        if not self.layers:
            raise UsageError("nothing was spent: run a model that has LayerwiseAdaptiveAttention gates inside the context first")
        return torch.stack([torch.stack(calls).mean() for calls in self.layers.values()]).mean()

    def excess(self, budget: float) -> Float[Tensor, ""]:
        """How far the mean is above `budget` (a share between 0 and 1), 0 under it: times a price, a term of the loss."""
        return torch.relu(self.mean() - budget)


@contextmanager
def spending(model: nn.Module) -> Iterator[Spending]:
    """Collect what the adaptive layers of `model` spend while the context lasts.

    >>> from heedful.gates import LayerwiseAdaptiveAttention
    >>> model = nn.Sequential(*(LayerwiseAdaptiveAttention(8, length=5) for _ in range(3)))
    >>> with spending(model) as spent:
    ...     y = model(torch.randn(2, 5, 8))
    >>> spent.mean().item(), round(spent.excess(0.3).item(), 4), sorted(spent.layers)
    (0.5, 0.2, ['0', '1', '2'])
    """
    spent = Spending()
    meters = [(name, module) for name, module in model.named_modules() if isinstance(module, Meter)]
    handles = [meter.register_forward_hook(_recorder(spent, name.rpartition(".")[0])) for name, meter in meters]
    try:
        yield spent
    finally:
        for handle in handles:
            handle.remove()


def _recorder(spent: Spending, layer: str) -> Callable[[nn.Module, tuple[Any, ...], Tensor], None]:
    def record(meter: nn.Module, args: tuple[Any, ...], a: Tensor) -> None:
        spent.layers.setdefault(layer, []).append(average(a, args[1]))

    return record
