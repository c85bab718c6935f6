"""The frontier as a PNG: loss against milliseconds, predicted and, where they were measured, of the whole model."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from heedful.atomic import write
from heedful.errors import MissingExtra
from heedful.manage.frontier.frontier import PLANNED, Frontier, Point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKS: Final = (("o", "#0072b2"), ("s", "#d55e00"), ("^", "#00805f"), ("v", "#a6437c"), ("D", "#6b5b95"), ("X", "#7a6a00"))
LINEAR: Final = 1e-4  # nats around 0 where the scale is linear, at least
INK: Final = "#1d2229"
PIXELS: Final = 150  # an inch


def write_picture(found: Frontier, path: Path) -> Path:
    """One panel for the milliseconds that were predicted, another for those that were measured.

    Raises `MissingExtra` without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", "manage", "a PNG of the frontier") from error
    both = found.measured is not None
    drawing = Figure(figsize=(12 if both else 7.5, 5.4), layout="constrained", facecolor="white")
    axes = drawing.subplots(1, 2 if both else 1, sharey=True, squeeze=False)[0]
    panel(axes[0], found, measured=False)
    if both:
        panel(axes[1], found, measured=True)
    axes[0].set_ylabel("nats a token above dense", color=INK)
    drawing.suptitle(f"{found.name}, {found.length:,} tokens, {found.phase}: what is lost at which price", color=INK, fontsize=13)
    handles, names = axes[0].get_legend_handles_labels()
    drawing.legend(handles, names, loc="outside lower center", ncols=min(len(names), 7), frameon=False)
    held = BytesIO()
    drawing.savefig(held, format="png", dpi=PIXELS, metadata={"Software": None})
    write(path, held.getvalue())
    return path


def panel(axes: Axes, found: Frontier, measured: bool) -> None:
    """One axis of milliseconds."""
    for index, policy in enumerate(found.policies):
        mark, colour = MARKS[index % len(MARKS)]
        points = [point for point in found.of(policy) if not measured or point.measured is not None]
        shown = sorted((place(point, measured), point.loss) for point in points)
        wide, above = (2.4, 3) if policy == PLANNED else (1.2, 2)
        axes.plot(*zip(*shown, strict=True), marker=mark, color=colour, linewidth=wide, markersize=7, label=policy, zorder=above)
    dense = found.measured if measured else found.spent
    assert dense is not None
    axes.axvline(dense, color="#59626e", linewidth=1, linestyle=(0, (4, 4)), label="dense")
    axes.set_yscale("symlog", linthresh=linear(found))
    axes.axhline(0, color="#59626e", linewidth=1)
    axes.set_xlim(left=0)
    axes.set_xlabel("milliseconds, measured, whole model" if measured else f"{found.resource}, predicted, attention core", color=INK)
    axes.grid(axis="y", color="#e2dfd7", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def linear(found: Frontier) -> float:
    """Around 0 the scale is linear up to a thousandth of the greatest loss."""
    return max(LINEAR, max(abs(point.loss) for point in found.points) / 1000)


def place(point: Point, measured: bool) -> float:
    """Where a point stands across."""
    return point.measured if measured and point.measured is not None else point.spent
