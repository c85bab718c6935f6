"""What was found, as a table in the terminal and as a page of the docs."""

from __future__ import annotations

from itertools import groupby

from rich.console import Console
from rich.table import Table

from heedful.bench.figure import Figure
from heedful.bench.run import Report

COLUMNS = ("work", "against", "reached", "target", "", "ms")


def show(report: Report, console: Console) -> None:
    """A table a row, the machine under them."""
    for row, figures in groupby(report.figures, key=lambda figure: figure.row):
        shown = Table(title=row, title_justify="left", title_style="bold", box=None, pad_edge=False)
        for column in COLUMNS:
            shown.add_column(column, justify="right" if column in ("reached", "target", "ms") else "left")
        for figure in figures:
            shown.add_row(*cells(figure), style={True: None, False: "red", None: "dim"}[figure.met])
        console.print(shown)
        console.print()
    console.print("\n".join(footer(report)), highlight=False)


def cells(figure: Figure) -> tuple[str, ...]:
    """The columns of one figure."""
    goal = "" if figure.goal is None else f"{figure.goal} {figure.unit}" if figure.unit == "GiB" else str(figure.goal)
    if figure.unit == "rate" and figure.goal is not None:
        goal = f"{'>=' if figure.goal.least else '<='} {figure.goal.bound:.0%}"
    mark = {True: "yes", False: "NO", None: ""}[figure.met]
    against = f"{figure.against} ({figure.note})" if figure.note else figure.against
    return figure.case, against, reached(figure), goal, mark, times(figure)


def reached(figure: Figure) -> str:
    """The value with its unit."""
    if figure.value is None:
        return "-"
    return f"{figure.value:.0%}" if figure.unit == "rate" else f"{figure.value:.2f} {figure.unit}"


def times(figure: Figure) -> str:
    """Our milliseconds and theirs."""
    if figure.ours is None or figure.theirs is None:
        return ""
    return f"{figure.ours:.3g} / {figure.theirs:.3g}"


def footer(report: Report) -> list[str]:
    """The machine, its matrix product, and the count."""
    products = ", ".join(f"{name} {rate / 1e9:,.0f} GFLOP/s" for name, rate in report.rates.items())
    asked = [figure for figure in report.figures if figure.met is not None]
    quick = " (quick: smaller sizes than the table's)" if report.quick else ""
    return [
        f"{report.machine}",
        f"{products}; batch 1, 8 heads, width 64; least of several runs in turns, ours / theirs in ms",
        f"{len(asked) - len(report.missed)} of {len(asked)} targets reached{quick}",
    ]


def markdown(report: Report) -> str:
    """The page."""
    command = "heedful bench --quick" if report.quick else "heedful bench"
    lines = ["# Measured: attention against what else there is", "", f"    {command}", ""]
    lines += [f"{line}." for line in footer(report)]
    lines += ["", "| work | against | reached | target | | ms, ours / theirs |", "|---|---|---|---|---|---|"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in cells(figure))} |" for figure in report.figures]
    return "\n".join(lines) + "\n"
