"""Channels by learned gates: a squeeze-and-excitation gate on what is inside each feed-forward part learns which to close
(Hu et al. 2018, arXiv 1709.01507; closed by an L1 penalty as in network slimming, Liu et al. 2017, arXiv 1708.06519)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heedful.errors import UsageError
from heedful.layers.gates.squeeze_excitation import SqueezeExcitation
from heedful.manage.objective import Batch, Loss, token_losses

Told = Callable[[int, float, float], None]


@dataclass(frozen=True)
class Gating:
    """How gates learn: optimiser steps, the rate, the price of a gate that is open (nats a token for all of them), and a seed."""

    steps: int = 100
    rate: float = 0.03
    price: float = 0.5
    seed: int = 0


def gated_channels(
    model: nn.Module,
    maps: Mapping[str, int],
    batches: Iterable[Batch],
    gating: Gating,
    *,
    causal: bool = True,
    loss: Loss | None = None,
    told: Told = lambda step, nats, opened: None,
) -> dict[str, Float[Tensor, " channels"]]:
    """How far the gate of each channel is open on average, once the gates alone have learned; the model stays as it was.

    `maps` are the linear maps whose inputs are the channels, and how many they are.
    """
    torch.manual_seed(gating.seed)
    gates = {name: SqueezeExcitation(width, causal=causal).to(next(model.parameters()).device) for name, width in maps.items()}
    learn(model, gates, batches, gating, loss, told)
    sums = {name: torch.zeros(width) for name, width in maps.items()}
    places = 0
    with torch.no_grad(), standing(model, gates) as values:
        for batch in batches:
            token_losses(model, batch, loss)
            places += len(next(iter(values.values())).flatten(0, -2))
            for name, value in values.items():
                sums[name] += value.flatten(0, -2).sum(0).cpu()
    return {name: total / places for name, total in sums.items()}


def learn(
    model: nn.Module, gates: Mapping[str, SqueezeExcitation], batches: Iterable[Batch], gating: Gating, loss: Loss | None, told: Told
) -> None:
    """Train the gates to lose little and to be closed."""
    wanted = [parameter.requires_grad for parameter in model.parameters()]
    optimiser = torch.optim.Adam([weight for gate in gates.values() for weight in gate.parameters()], lr=gating.rate)
    try:
        model.requires_grad_(False)
        with standing(model, gates) as values:
            for step, batch in enumerate(turns(batches, gating.steps)):
                scored = token_losses(model, batch, loss)
                nats, opened = scored.total / max(1, scored.number), torch.stack([value.mean() for value in values.values()]).mean()
                torch.autograd.backward(nats + gating.price * opened)
                optimiser.step()
                optimiser.zero_grad()
                told(step + 1, float(nats.detach()), float(opened.detach()))
    finally:
        for parameter, want in zip(model.parameters(), wanted, strict=True):
            parameter.requires_grad_(want)


@contextmanager
def standing(model: nn.Module, gates: Mapping[str, SqueezeExcitation]) -> Iterator[dict[str, Tensor]]:
    """While inside, the gates stand before their maps; what they were last is in the dict that is given."""
    values: dict[str, Tensor] = {}

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor, ...]]:
        def enter(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            x = inputs[0] if inputs[0].dim() == 3 else inputs[0][None]
            values[name] = gates[name].gate(x)
            return ((x * values[name]).reshape(inputs[0].shape), *inputs[1:])

        return enter

    handles = [model.get_submodule(name).register_forward_pre_hook(hook(name)) for name in gates]
    try:
        yield values
    finally:
        for handle in handles:
            handle.remove()


def turns(batches: Iterable[Batch], steps: int) -> Iterator[Batch]:
    """Batches for so many steps, again from the first when they are through."""
    found: Sequence[Batch] = list(batches)
    if not found:
        raise UsageError("gates learn from batches, and there are none")
    return itertools.islice(itertools.cycle(found), steps)
