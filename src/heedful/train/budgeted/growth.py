"""Windows that grow while a model learns: short attention first, all of it at the end.

Short contexts first make the early steps of a language model cheaper and no worse (Press et al. 2021, "Shortformer", arXiv 2012.15832,
§3; Li et al. 2022, arXiv 2108.06084); here the context stays and its window grows, so that batches keep their shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from torch import nn

from heedful.attention.masks.mask import Mask
from heedful.attention.masks.window import Window
from heedful.errors import UsageError
from heedful.layers.lookahead import looks_back
from heedful.layers.multihead import MultiHeadAttention

FIRST: Final = 64  # tokens of the first window
LONGEST: Final = 0.95  # of the steps that may go by before all is seen


@dataclass(frozen=True)
class Growth:
    """Windows, each for the same share of the first `share` of the steps; after them all is seen.

    >>> growth = Growth((64, 128), 0.5)
    >>> [growth.window(step, 8) for step in range(8)]
    [64, 64, 128, 128, None, None, None, None]
    """

    windows: tuple[int, ...]
    share: float

    def window(self, step: int, total: int) -> int | None:
        """The window at optimiser step `step` (from 0) of `total`; None where all is seen."""
        progress = step / (self.share * total) if self.share else 1.0
        return self.windows[int(progress * len(self.windows))] if progress < 1.0 else None

    def spend(self, context: int) -> float:
        """The mean share of the pairs that are computed, over all steps."""
        return self.share * mean(self.windows, context) + 1.0 - self.share


def doubling(context: int) -> tuple[int, ...]:
    """Windows from 64 up, each twice the one before, below the context.

    >>> doubling(512)
    (64, 128, 256)
    """
    found = [FIRST]
    while found[-1] * 2 < context:
        found.append(found[-1] * 2)
    return tuple(window for window in found if window < context)


def density(window: int, context: int) -> float:
    """The share of the pairs of a context that a window lets through, causal or on both sides.

    >>> density(512, 1024)
    0.75
    """
    return 1.0 - (1.0 - min(window, context) / context) ** 2


def mean(windows: Sequence[int], context: int) -> float:
    """The mean density of windows."""
    return sum(density(window, context) for window in windows) / len(windows)


def growth_to(budget: float, context: int) -> Growth:
    """The growth whose mean spend over all steps is `budget`, with the largest windows that leave a twentieth of the steps whole.

    >>> growth_to(0.5, 1024).windows, round(growth_to(0.5, 1024).spend(1024), 6)
    ((64, 128, 256, 512), 0.5)

    Raises `UsageError` for a budget that even the shortest windows overspend.
    """
    windows = doubling(context)
    while windows:
        share = (1.0 - budget) / (1.0 - mean(windows, context))
        if share <= LONGEST:
            return Growth(windows, share)
        windows = windows[:-1]
    least = 1.0 - LONGEST * (1.0 - density(FIRST, context))
    raise UsageError(
        f"train.budget is {budget:g}, and windows that grow from {FIRST} tokens spend {least:.2f} at least at a context of {context}: "
        "a larger budget or context, or learned spans (model.attention.span), would work"
    )


@contextmanager
def narrowed(model: nn.Module, window: int | None) -> Iterator[None]:
    """While it lasts, self-attention sees at most a window, on both sides where the layer does; its masks are put back after."""
    layers = [] if window is None else [module for module in model.modules() if isinstance(module, MultiHeadAttention)]
    before = [layer.mask for layer in layers]
    for layer in layers:
        layer.mask = within(layer.mask, window or 1)
    try:
        yield
    finally:
        for layer, mask in zip(layers, before, strict=True):
            layer.mask = mask


def within(mask: Mask | None, window: int) -> Mask:
    """A layer's rule within a window."""
    narrow = Window(window, 0 if looks_back(mask) else window - 1)
    return narrow if mask is None else mask & narrow
