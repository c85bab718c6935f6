"""The shades of the page, from the same palettes as those of every page of the house, and the house's own style sheet."""

from __future__ import annotations

import base64
from importlib.resources import files

from heedful.explanations.shade import ORANGE, colour, ramp


def palette() -> dict[str, str]:
    """Red, green, blue and opacity of each of 256 levels, in base64: weights, sinks, and signed differences."""
    shades = {scale: bytes(part for level in range(256) for part in colour(level, scale)) for scale in ("weights", "signed")}
    shades["sunk"] = bytes(part for level in range(256) for part in (*ORANGE, round(255 * (level / 255) ** 0.6)))
    return {name: base64.b64encode(data).decode("ascii") for name, data in shades.items()}


def scripts() -> str:
    """The house's script for pictures under the shades of their cells."""
    return files("heedful.explanations").joinpath("overlaid.js").read_text(encoding="utf-8")


def style() -> str:
    """The house's style sheet with the ramps of its legends."""
    orange = ",".join(map(str, ORANGE))
    sunk = f".ramp.sunk{{background:linear-gradient(90deg,rgba({orange},0),rgb({orange}))}}"
    ramps = "".join(f".ramp.{scale}{{background:{ramp(scale)}}}" for scale in ("weights", "signed"))
    return files("heedful.explanations").joinpath("page.css").read_text(encoding="utf-8") + ramps + sunk
