"""What the heads and channels of a model do on a text: the mean and second moments of what each writes, and what it is worth.

Worth is the Fisher-weighted loss of taking a unit out, 1/(2T) Σ_t (g_t · δ_t)² with δ_t its output less its mean, which the bias
or the refit of the others makes good (for a head Michel et al. 2019, arXiv 1905.10650, take |g · o|; squares as in optimal brain
damage, LeCun et al. 1990).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor, nn

from heedful.manage.objective import Batch, Loss, token_losses

Seen = Callable[[Float[Tensor, "t k"]], None]


@dataclass(frozen=True, eq=False)
class Moments:
    """Of what enters a linear map, over `count` places: the mean, and the mean of x xᵀ."""

    mean: Float[Tensor, " k"]
    square: Float[Tensor, "k k"]
    count: int

    @property
    def covariance(self) -> Float[Tensor, "k k"]:
        """The mean of (x - mean)(x - mean)ᵀ."""
        return self.square - torch.outer(self.mean, self.mean)


def moments(model: nn.Module, maps: Sequence[str], batches: Iterable[Batch], loss: Loss | None = None) -> dict[str, Moments]:
    """The moments of what enters each of the linear maps, over every place of the batches that is no padding."""
    sums: dict[str, tuple[Tensor, Tensor, int]] = {}
    for batch in batches:
        with torch.no_grad(), entering(model, {name: adding(sums, name, real_of(batch)) for name in maps}):
            token_losses(model, batch, loss)
    return {name: Moments((mean / count).float(), (square / count).float(), count) for name, (mean, square, count) in sums.items()}


def adding(sums: dict[str, tuple[Tensor, Tensor, int]], name: str, real: Tensor | None) -> Seen:
    """What adds the rows that are no padding to the sums under `name`."""

    def add(x: Float[Tensor, "t k"]) -> None:
        wide = (x if real is None or len(x) != real.numel() else x[real.flatten()]).double()
        mean, square, count = sums.get(name, (torch.zeros(()), torch.zeros(()), 0))
        sums[name] = (mean + wide.sum(0).cpu(), square + (wide.mT @ wide).cpu(), count + len(wide))

    return add


def worths(
    model: nn.Module, cuts: dict[str, int], means: dict[str, Moments], batches: Iterable[Batch], loss: Loss | None = None
) -> dict[str, Float[Tensor, " units"]]:
    """For each map, what each of its units is worth in nats a token; `cuts` says how many inputs of the map make a unit.

    One forward and one backward pass a batch; nothing is kept but sums.
    """
    sums = {name: torch.zeros(len(means[name].mean) // width) for name, width in cuts.items()}
    labels = 0
    wanted = [parameter.requires_grad for parameter in model.parameters()]
    try:
        model.requires_grad_(False)
        for batch in batches:
            with learning(model, cuts, means, sums):
                scored = token_losses(model, batch, loss)
                torch.autograd.backward(scored.total)
            labels += scored.number
    finally:
        for parameter, want in zip(model.parameters(), wanted, strict=True):
            parameter.requires_grad_(want)
    return {name: total / (2 * labels) for name, total in sums.items()}


@contextmanager
def learning(model: nn.Module, cuts: dict[str, int], means: dict[str, Moments], sums: dict[str, Tensor]) -> Iterator[None]:
    """While inside, what enters the maps gets a gradient, and each backward pass adds to the sums."""

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor, ...]]:
        def enter(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            x = inputs[0] if inputs[0].requires_grad else inputs[0].detach().requires_grad_()
            delta = x.detach() - means[name].mean.to(x)

            def add(gradient: Tensor) -> None:
                effect = rearrange(gradient * delta, "... (u w) -> (...) u w", w=cuts[name])
                sums[name] += reduce(reduce(effect, "t u w -> t u", "sum").float().square(), "t u -> u", "sum").cpu()

            x.register_hook(add)  # type: ignore[no-untyped-call]
            return (x, *inputs[1:])

        return enter

    handles = [model.get_submodule(name).register_forward_pre_hook(hook(name)) for name in cuts]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def entering(model: nn.Module, seen: dict[str, Seen]) -> Iterator[None]:
    """While inside, what enters each of the maps, as (places, k), is shown."""

    def hook(show: Seen) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
        return lambda module, inputs: show(inputs[0].detach().flatten(0, -2))

    handles = [model.get_submodule(name).register_forward_pre_hook(hook(show)) for name, show in seen.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def real_of(batch: Batch) -> Tensor | None:
    """Which places of a batch are no padding, where it says so."""
    mask, lengths = batch.get("attention_mask"), batch.get("lengths")
    if isinstance(lengths, Tensor):
        mask = torch.arange(int(lengths.max()), device=lengths.device) < lengths[:, None]
    return mask.bool() if isinstance(mask, Tensor) and mask.dim() == 2 and not bool(mask.all()) else None
