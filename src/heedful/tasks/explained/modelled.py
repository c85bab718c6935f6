"""A subject that is a model of torch's and a tensor it reads: what is looked at, ruled and silenced in it is the same for all of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import cached_property
from typing import Final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from heedful.explanations.rules.rules import Rules
from heedful.explanations.subject import Look, Looked, Subject
from heedful.manage.site import Site
from heedful.manage.still import still
from heedful.tasks.explained import watching
from heedful.tasks.explained.watching import Named, named

AT_ONCE: Final = 16384  # places of a batch


class Modelled(Subject):
    """Whoever gives `model`, `features`, `baseline` and `of_features` has the attention methods, where `watchable` gives no reason.

    `watchable` says why the attention of the model cannot be seen; None where it can.
    """

    model: nn.Module
    watchable: str | None = None

    @property
    def length(self) -> int:
        """How many places are read."""
        return len(self.features)

    @property
    def at_once(self) -> int:
        """How many rows of features a batch may have."""
        return max(1, AT_ONCE // max(1, self.length))

    @abstractmethod
    def again(self, model: nn.Module) -> Subject:
        """The same input and answer under another model of the same kind."""

    def named(self, site: Site) -> Named:
        """What readers call an attention layer, and which streams it is of."""
        return named(site)

    def told(self) -> Float[Tensor, " t"] | None:
        """How much the answer reads of each place behind the last layer, where the model says so itself."""
        return None

    @cached_property
    def passed(self) -> Looked:
        """One pass with its attention layers kept."""
        layers: list[Look] = []
        features = self.features.clone().requires_grad_()
        if self.watchable is not None:
            return Looked(self.of_features(features[None])[0], ())
        with watching.kept(self.model, layers, self.named):
            score = self.of_features(features[None])[0]
        return Looked(score, tuple(layers))

    def looked(self) -> Looked:
        """A pass with every attention layer kept."""
        return self.passed

    @cached_property
    def reading(self) -> Float[Tensor, " t"]:
        """What the model says that it reads, or the share of the answer's gradient that each place of the last layer gets."""
        said = self.told()
        if said is not None:
            return said.detach().cpu()
        (gradient,) = torch.autograd.grad(self.passed.score, [self.passed.layers[-1].out], retain_graph=True)
        sizes = gradient[0].double().square().sum((0, 2)).sqrt().cpu()
        return sizes / sizes.sum().clamp(min=torch.finfo(sizes.dtype).tiny)

    @contextmanager
    def ruled(self, rules: Rules) -> Iterator[None]:
        """Within it backward passes follow other rules."""
        with watching.ruled(self.model, rules, self.watchable is None):
            yield

    @torch.no_grad()
    def silenced(self, heads: Sequence[tuple[int, int]]) -> Float[Tensor, " s"]:
        """The log-probability of the answer without one head, for each of them."""
        found = []
        with still(self.model):
            for first in range(0, len(heads), self.at_once):
                some = heads[first : first + self.at_once]
                with watching.without(self.model, some):
                    found.append(self.of_features(self.features.expand(len(some), -1, -1)).double().cpu())
        return torch.cat(found)

    def of_gone(self, gone: Bool[Tensor, "s t"], instead: Float[Tensor, "t m"]) -> Float[Tensor, " s"]:
        """The log-probability of the answer where some places hold other features."""
        parts = torch.split(gone.to(self.features.device), self.at_once)
        found = [self.of_features(torch.where(rows[..., None], instead, self.features)).double().cpu() for rows in parts]
        return torch.cat(found)

    def places_of(self, kept: Bool[Tensor, "s n"]) -> Bool[Tensor, "s t"]:
        """The places of the units that are not kept."""
        gone = torch.zeros(len(kept), self.length, dtype=torch.bool)
        for unit, places in enumerate(self.places):
            gone[:, list(places)] = ~kept[:, unit, None]
        return gone

    def randomised(self, seed: int) -> Subject:
        """The same under a model whose weights are drawn anew."""
        return self.again(drawn(self.model, seed))


def drawn(model: nn.Module, seed: int) -> nn.Module:
    """A copy of a model whose parameters are normal numbers of each one's own mean and spread."""
    generator = torch.Generator().manual_seed(seed)
    copy = deepcopy(model)
    with torch.no_grad():
        for parameter in copy.parameters():
            spread = parameter.float().std() if parameter.numel() > 1 else parameter.new_zeros((), dtype=torch.float32)
            parameter.copy_(torch.randn(parameter.shape, generator=generator).to(parameter) * spread + parameter.float().mean())
    return copy
