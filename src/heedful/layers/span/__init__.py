"""Heads that learn how far they look."""

from heedful.layers.span.adaptive import AdaptiveSpan
from heedful.layers.span.within import Within

__all__ = ["AdaptiveSpan", "Within"]
