"""What a model may cost: measured before a trial is trained, so that one beyond the limits costs no training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import torch
from torch import nn

from heedful.cost.measure import Patience, minima
from heedful.cost.summary import summarise
from heedful.layers.multihead import MultiHeadAttention
from heedful.spec.check import positive

QUICK = Patience(seconds=0.1, rounds=3)


@dataclass(frozen=True)
class Limits:
    """The most a model may cost: a forward pass over one row of its context in milliseconds on this machine and in operations.

    Arguments:
        milliseconds: of one forward pass over one row of a context, measured on this machine.
        operations: of the same pass, counted.
        parameters: numbers in the model.
        bytes: of its weights.

    >>> Limits(milliseconds=2.0).excess({"milliseconds": 3.0, "parameters": 100})
    {'milliseconds': 0.5}
    """

    milliseconds: float | None = None
    operations: float | None = None
    parameters: float | None = None
    bytes: float | None = None

    def __post_init__(self) -> None:
        positive(asdict(self))

    @property
    def given(self) -> dict[str, float]:
        """The limits there are."""
        return {name: limit for name, limit in asdict(self).items() if limit is not None}

    def excess(self, costs: Mapping[str, float]) -> dict[str, float]:
        """For each limit by what share of it the cost goes beyond (negative: what is left)."""
        return {name: costs[name] / limit - 1.0 for name, limit in self.given.items()}


def costs(model: nn.Module, context: int, timed: bool) -> dict[str, float]:
    """What a language model costs; milliseconds only where they are wanted, since they take some."""
    row = torch.zeros(1, context, dtype=torch.long)
    found = summarise(model, [row], attention=(MultiHeadAttention,))
    size = sum(tensor.numel() * tensor.element_size() for tensor in model.parameters())
    known = {"operations": float(found.operations), "parameters": float(found.parameters), "bytes": float(size)}
    return known | ({"milliseconds": milliseconds(model, row)} if timed else {})


def milliseconds(model: nn.Module, row: torch.Tensor) -> float:
    """The fewest milliseconds of a forward pass in evaluation."""
    was = model.training
    model.eval()
    with torch.inference_mode():
        (found,) = minima([lambda: model(row)], QUICK)
    model.train(was)
    return found
