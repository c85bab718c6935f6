"""An explanation as a figure for papers: the text in its shades, and a scale."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from heedful import atomic
from heedful.errors import MissingExtra, UsageError
from heedful.explanations.parts.axes import Axes
from heedful.explanations.parts.photograph import faded, shade
from heedful.explanations.shade import BLUE, ORANGE
from heedful.explanations.subject import Grid
from heedful.explanations.tokens import visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from heedful.explanations.explanation import Explanation

COLUMNS: Final = 96  # letters of a line
LINE: Final = 0.24  # inches
LETTER: Final = 0.075  # inches
FORMS: Final = (".png", ".svg", ".pdf")
MOST: Final = 20_000  # letters that are drawn


def drawn(explanation: Explanation) -> Figure:
    """The text, line by line, each unit under its shade."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("matplotlib", "explain", "drawing an explanation") from None
    if sum(map(len, explanation.tokens)) > MOST:
        raise UsageError(f"a figure holds {MOST:,} letters: a shorter text would work, or html() at any length")
    if explanation.subject.grid is not None:
        grid = explanation.subject.grid
        return over_picture(explanation, grid) if grid.axes is None else over_sides(explanation, grid, grid.axes)
    lines = laid(explanation)
    height = LINE * (len(lines) + 3.5)
    figure = Figure(figsize=(COLUMNS * LETTER + 0.4, height), dpi=200)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-2, COLUMNS + 2), ylim=(len(lines) + 0.5, -3))
    axes.set_axis_off()
    title, legend = heading(explanation)
    axes.text(0, -2.1, title, family="sans-serif", size=8.5, weight="bold", va="center")
    axes.text(0, -1.15, legend, family="sans-serif", size=6.5, va="center")
    for row, line in enumerate(lines):
        for column, text, share in line:
            placed(axes, row, column, text, share)
    return figure


def over_picture(explanation: Explanation, grid: Grid) -> Figure:
    """A picture, and beside it the same under the shades of its cells."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.1), dpi=200, layout="constrained")
    title, legend = heading(explanation)
    figure.suptitle(title, size=8.5, weight="bold")
    figure.supxlabel(legend, size=6)
    shown, under = (pixels.permute(1, 2, 0).squeeze(-1).cpu() for pixels in (grid.pixels, faded(grid.pixels)))
    overlay = shade(explanation.scores.view(grid.rows, grid.columns), signed=True).permute(1, 2, 0)
    for axes, shaded in zip(figure.subplots(1, 2), (False, explanation.shaded), strict=True):
        axes.set_axis_off()
        axes.imshow((under if shaded else shown).numpy(), cmap="gray", vmin=0, vmax=255, interpolation="nearest", extent=(0, 1, 1, 0))
        if shaded:
            axes.imshow(overlay.numpy(), interpolation="nearest", extent=(0, 1, 1, 0))
        axes.set_aspect(shown.shape[0] / shown.shape[1])
    return figure


def over_sides(explanation: Explanation, grid: Grid, axes: Axes) -> Figure:
    """A spectrogram, and under it the same under the shades of its cells, with seconds and hertz at the sides."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), dpi=200, layout="constrained")
    title, legend = heading(explanation)
    figure.suptitle(title, size=8.5, weight="bold")
    overlay = shade(explanation.scores.view(grid.rows, grid.columns), signed=True).permute(1, 2, 0)
    above, below = figure.subplots(2, 1, sharex=True)
    for field, pixels in ((above, grid.pixels), (below, faded(grid.pixels) if explanation.shaded else grid.pixels)):
        whole = {"extent": (0, 1, 0, 1), "aspect": "auto"}
        field.imshow(pixels.permute(1, 2, 0).squeeze(-1).cpu().numpy(), cmap="gray", vmin=0, vmax=255, **whole)
        if field is below and explanation.shaded:
            field.imshow(overlay.numpy(), interpolation="nearest", **whole)
        field.set_yticks([at for at, _ in axes.up.ticks], [text for _, text in axes.up.ticks], size=6)
        field.set_ylabel(axes.up.name, size=6.5)
    below.set_xticks([at for at, _ in axes.across.ticks], [text for _, text in axes.across.ticks], size=6)
    below.set_xlabel(f"{axes.across.name}\n{legend}", size=6.5)
    return figure


def laid(explanation: Explanation) -> list[list[tuple[int, str, float]]]:
    """The units in lines: their columns, texts and shares of the largest score."""
    top = float(explanation.scores.abs().max()) or 1.0
    lines: list[list[tuple[int, str, float]]] = [[]]
    column = 0
    for token, score in zip(explanation.tokens, explanation.scores.tolist(), strict=True):
        text = visible(token).replace("␣", " ")
        if column and column + len(text) > COLUMNS:
            lines.append([])
            column = 0
        lines[-1].append((column, text[:COLUMNS], score / top if explanation.shaded else 0.0))
        column += len(text[:COLUMNS])
    return lines


def placed(axes: Any, row: int, column: int, text: str, share: float) -> None:
    """One unit."""
    from matplotlib.patches import Rectangle

    if abs(share) >= 0.01:
        colour = tuple(part / 255 for part in (BLUE if share > 0 else ORANGE))
        axes.add_patch(Rectangle((column, row - 0.42), len(text), 0.84, color=colour, alpha=min(1.0, abs(share)) * 0.85, linewidth=0))
    ink = "white" if abs(share) > 0.85 else "black"  # under that share black is the easier to read
    axes.text(column + len(text) / 2, row, text, family="monospace", size=7.2, color=ink, ha="center", va="center")


def heading(explanation: Explanation) -> tuple[str, str]:
    """What is shown, and how it was found."""
    best = float(explanation.scores.abs().max())
    sides = f"blue: for, orange: against, fullest {best:.3g}" if explanation.shaded else "no better than chance: not coloured"
    return f"{explanation.title} ({explanation.probability:.1%})", f"{explanation.method.name}: {explanation.method.title}; {sides}"


def saved(figure: Figure, path: Path) -> Path:
    """Write a figure, whole or not at all, without the time in it."""
    if path.suffix.lower() not in FORMS:
        raise UsageError(f"{path}: a figure is written as {', '.join(FORMS)}")
    # A letter that no font here has is drawn as a box; that is no reason to stop.
    with warnings.catch_warnings(), atomic.replacing(path) as file:
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        import matplotlib

        with matplotlib.rc_context({"svg.hashsalt": "heedful", "svg.fonttype": "path"}):
            figure.savefig(file, format=path.suffix.lower()[1:], metadata=DATED.get(path.suffix.lower()))
    return path


DATED: Final[dict[str, dict[str, Any]]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
