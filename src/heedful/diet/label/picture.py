"""The label as a picture: SVG by hand, PNG through matplotlib."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Final

from heedful import atomic
from heedful.diet.label.label import Label
from heedful.errors import HeedfulError, MissingExtra, UsageError
from heedful.explanations.markup import Markup, element, join

WIDTH: Final = 560
ROW: Final = 24
MOST: Final = 6  # groups of a facet; the smaller ones are one
COLOURS: Final = ("#0072b2", "#d55e00", "#00805f", "#a6437c")
FONT: Final = (
    "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'PingFang SC', 'Hiragino Sans', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
)


def rows(found: Label) -> list[tuple[str, list[tuple[str, float]]]]:
    """Facets with their largest groups, and what the others are together."""
    shown = []
    for facet, groups in found.by.items():
        pairs = list(groups.items())
        rest = sum(minutes for _, minutes in pairs[MOST:])
        shown.append((facet, pairs[:MOST] + ([(f"{len(pairs) - MOST} others", rest)] if rest else [])))
    return shown


def title(found: Label) -> str:
    """What the label is of."""
    return found.first if found.first == found.last else f"{found.first} to {found.last}"


def summary(found: Label) -> list[str]:
    """The figures that are no bars."""
    said = [f"{found.spent:.0f} min read, {found.planned:.0f} planned, {found.items} items"]
    said.append(f"new to you {found.novelty:.0%}, told before {found.redundancy:.0%}")
    if found.off is not None:
        said.append(f"{found.off:.0%} away from your targets")
    return said


def svg(found: Label) -> Markup:
    """The label, as wide as its place allows; texts in the page's fonts.

    >>> empty = Label("day", "2026-11-21", "2026-11-21", 0, 0, {}, {}, None, 0, 0, 0)
    >>> svg(empty).startswith("<svg")
    True
    """
    y, parts = 34.0, [words(16, 24, f"What your minutes were made of: {title(found)}", size=17, bold=True)]
    for line in summary(found):
        y += 20
        parts.append(words(16, y, line, quiet=True))
    for (facet, groups), colour in zip(rows(found), COLOURS, strict=False):
        y += 34
        parts.append(words(16, y, facet, bold=True))
        y += 8
        for name, minutes in groups:
            parts += bar(found, facet, name, minutes, y, colour)
            y += ROW
    y += 16
    attributes = {"xmlns": "http://www.w3.org/2000/svg", "viewBox": f"0 0 {WIDTH} {y:.0f}", "width": WIDTH, "height": f"{y:.0f}"}
    said = {"role": "img", "aria-label": f"Minutes by {', '.join(found.by)}: {title(found)}", "font-family": FONT, "font-size": 14}
    ground = element("rect", {"width": WIDTH, "height": f"{y:.0f}", "rx": 10, "fill": "var(--sheet, #ffffff)"})
    return element("svg", attributes | said, ground, *parts)


def bar(found: Label, facet: str, name: str, minutes: float, y: float, colour: str) -> list[Markup]:
    """A group: its name, its share as a bar, its minutes, and a mark where its target is."""
    full, left = 230.0, 190.0
    part = minutes / found.spent if found.spent else 0.0
    cut = name if len(name) <= 24 else f"{name[:23]}…"
    shapes = [
        words(16, y + 16, cut),
        element("rect", {"x": left, "y": y + 5, "width": f"{full:.1f}", "height": 13, "rx": 3, "fill": "var(--well, #f3f1ec)"}),
        element("rect", {"x": left, "y": y + 5, "width": f"{full * part:.1f}", "height": 13, "rx": 3, "fill": colour}),
        words(left + full + 10, y + 16, f"{minutes:.1f} min, {part:.0%}"),
    ]
    target = found.targets.get(name) if facet == "topic" else None
    if target is not None:
        at = left + full * target
        shapes.append(
            element("line", {"x1": f"{at:.1f}", "x2": f"{at:.1f}", "y1": y + 1, "y2": y + 22, "stroke": "currentColor", "stroke-width": 2})
        )
    return shapes


def words(x: float, y: float, text: str, size: int = 14, bold: bool = False, quiet: bool = False) -> Markup:
    """A line of text."""
    ink = "var(--quiet, #59626e)" if quiet else "var(--ink, #1d2229)"
    return element("text", {"x": f"{x:g}", "y": f"{y:g}", "font-size": size, "font-weight": 600 if bold else 400, "fill": ink}, text)


def save(found: Label, path: Path) -> Path:
    """Write the picture, as its ending says.

    Raises `UsageError` for another ending, `MissingExtra` for a PNG without matplotlib.
    """
    if path.suffix == ".svg":
        atomic.write(path, str(join(svg(found), "\n")))
    elif path.suffix == ".png":
        png(found, path)
    else:
        raise UsageError(f"{path}: a picture ends in .svg or .png")
    return path


def png(found: Label, path: Path) -> None:
    """The same bars through matplotlib."""
    import io

    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra("matplotlib", "explain", "a PNG (an .svg needs nothing)") from None
    shown = [(facet, groups) for facet, groups in rows(found) if groups] or [("topic", [("nothing read", 0.0)])]
    count = sum(len(groups) + 1.6 for _, groups in shown)
    figure = Figure(figsize=(7, 1.4 + 0.32 * count), layout="constrained")
    axes = figure.subplots(len(shown), 1, squeeze=False, height_ratios=[len(groups) + 0.6 for _, groups in shown])
    figure.suptitle(f"What your minutes were made of: {title(found)}\n" + "; ".join(summary(found)), fontsize=10, family=fonts())
    for (facet, groups), axis, colour in zip(shown, axes[:, 0], COLOURS, strict=False):
        axis.barh([name for name, _ in groups], [minutes for _, minutes in groups], color=colour)
        axis.invert_yaxis()
        axis.set_title(facet, loc="left", fontsize=9, fontweight="bold")
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
        for text in axis.get_yticklabels():
            text.set_family(fonts())
    held = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing", category=UserWarning)
        try:
            FigureCanvasAgg(figure).print_png(held)  # type: ignore[no-untyped-call]
        except UserWarning as error:
            raise HeedfulError(f"{path}: no font of this machine has all its letters ({str(error)[:60]}): label.svg would work") from None
    atomic.write(path, held.getvalue())


def fonts() -> list[str]:
    """Families with Chinese and Japanese letters that this machine has, then matplotlib's own."""
    from matplotlib.font_manager import fontManager

    there = {one.name for one in fontManager.ttflist}
    wanted = ("Noto Sans CJK SC", "Noto Sans CJK JP", "PingFang SC", "Microsoft YaHei", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei")
    return ["DejaVu Sans", *[name for name in wanted if name in there]]
