"""What a model spends on attention while it learns, as a term of the loss: adaptive gates and learned spans."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.layers.gates.meter import Meter, spending
from heedful.layers.span import AdaptiveSpan
from heedful.train.objective import Carry, Objective, Outcome


def gated(model: nn.Module) -> bool:
    """Whether any layer has a gate that says what it spends."""
    return any(isinstance(module, Meter) for module in model.modules())


def spans(model: nn.Module) -> list[AdaptiveSpan]:
    """The learned spans of all layers."""
    return [module for module in model.modules() if isinstance(module, AdaptiveSpan)]


def span_spend(model: nn.Module) -> Float[Tensor, ""]:
    """The mean share of the pairs that heads with learned spans compute, over a whole context."""
    return torch.stack([span.spend() for span in spans(model)]).mean()


def penalised(objective: Objective, budget: float, price: float) -> Objective:
    """The objective, and in training `price` times what gates, and spans, spend above `budget` (each mean by itself)."""

    def within(model: nn.Module, batch: object, carry: Carry) -> Outcome:
        if not model.training:
            return objective(model, batch, carry)
        with spending(model) as spent:
            outcome = objective(model, batch, carry)
        loss = outcome.loss
        if spent.layers:
            loss = loss + price * spent.excess(budget)
        if spans(model):
            loss = loss + price * torch.relu(span_spend(model) - budget)
        return outcome._replace(loss=loss)

    return within
