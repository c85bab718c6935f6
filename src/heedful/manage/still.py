"""A model held still while it is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def still(model: nn.Module) -> Iterator[None]:
    """Within it the model is in evaluation and its parameters need no gradient; both as before at the end."""
    training = [(module, module.training) for module in model.modules()]
    needed = [(each, each.requires_grad) for each in model.parameters()]
    try:
        model.eval()
        for each, _ in needed:
            each.requires_grad_(False)
        yield
    finally:
        for each, needs in needed:
            each.requires_grad_(needs)
        for module, mode in training:
            module.training = mode
