"""Attention under a mask by tiles: only those that hold something are computed, so the cost is that of what is attended to."""

from __future__ import annotations

from heedful.attention.backends import tiled
from heedful.attention.call import Call, Result


def why_not(call: Call) -> str | None:
    """It is for masks."""
    return "there is no mask, so no tile to leave out" if call.mask is None else tiled.why_not(call)


def run(call: Call) -> Result:
    """As `tiled`: the schedule of the mask knows which tiles there are."""
    return tiled.run(call)
