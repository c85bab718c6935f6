"""A recording as a PNG: its bands over the seconds, and under them where each word looked."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from heedful.atomic import write
from heedful.errors import MissingExtra

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from heedful.explanations.parts.axes import Axes

INCH: Final = 2.2  # of width a second
PIXELS: Final = 150  # an inch


def draw(
    frames: Float[Tensor, "t bands"], weights: Float[Tensor, "n s"], words: Sequence[str], seconds: float, path: Path, sides: Axes
) -> Path:
    """Write both maps with one axis of seconds; `sides` names the frequencies of the bands.

    Raises `MissingExtra` without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("matplotlib", "speech", "an alignment as a PNG") from None
    height = 0.6 + 0.28 * len(words)
    drawing = Figure(figsize=(max(4.0, 1.4 + INCH * min(seconds, 12.0)), 2.2 + height), layout="constrained", facecolor="white")
    above, below = drawing.subplots(2, 1, sharex=True, height_ratios=[1.8, height])
    above.imshow(frames.T.numpy(), origin="lower", aspect="auto", cmap="magma", extent=(0.0, seconds, 0, 1))
    above.set_yticks([at for at, _ in sides.up.ticks], [text for _, text in sides.up.ticks], size=7)
    above.set_ylabel(sides.up.name, size=8)
    below.imshow(weights.numpy(), aspect="auto", cmap="Greys", vmin=0.0, extent=(0.0, seconds, len(words), 0), interpolation="nearest")
    below.set_yticks([i + 0.5 for i in range(len(words))], [word.replace("$", r"\$") for word in words])
    below.tick_params(axis="y", length=0)
    below.set_xlabel("seconds")
    held = BytesIO()
    drawing.savefig(held, format="png", dpi=PIXELS, metadata={"Software": None})
    write(path, held.getvalue())
    return path
