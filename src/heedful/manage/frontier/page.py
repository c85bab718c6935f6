"""The frontier as parts of a page: a dial for the budget, the curves, the heads as a grid, and all numbers as a table."""

from __future__ import annotations

import json
import math
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from heedful.explanations.markup import Markup, element, join
from heedful.explanations.page import Section, page, write
from heedful.explanations.parts.prose import Figure, command, figures, paragraph
from heedful.explanations.parts.table import number, table
from heedful.manage.frontier.frontier import PLANNED, Frontier, Point

DIGITS: Final = 4  # significant, of every number in the page's data
LEAD: Final = (
    "Move the dial: each stop is a plan that was made for that share of attention's {resource} and then measured on text that "
    "nothing was chosen on. Below it are the plan's heads and what the same {resource} buy without one."
)
READING: Final = (
    "Loss is the mean difference in nats a token to the same model with all of its attention, on the same tokens; the bound holds "
    "with 95 % probability. Predicted milliseconds are those of the attention core by this machine's prices; measured ones are of "
    "the whole model."
)
KIND: Final = {"prefill": "reading the text", "decode": "each further token"}


def write_page(found: Frontier, path: Path, again: str = "") -> Path:
    """The page in one file; `again` is the command that repeats it."""
    sections = [
        Section("The budget and what it buys", LEAD.format(resource=found.resource), panel(found), "frontier"),
        Section("All numbers", READING, [numbers(found), *notes(found), *([command(again)] if again else [])], "numbers"),
    ]
    lead = f"{found.name} at {found.length:,} tokens, {KIND[found.phase]}: quality against {found.resource}."
    return write(path, page("Attention fitted to a budget", lead, sections, f"Measured on {found.machine}."))


def panel(found: Frontier) -> list[Markup]:
    """Dial, curves and grid, with their style, data and script."""
    data = json.dumps(data_of(found), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    shell = element(
        "div",
        {"class": "frontier"},
        dial(found),
        element("div", {"class": "halves"}, plot(found), grid()),
        element("script", {"type": "application/json"}, Markup(data)),
    )
    return [element("style", {}, asset("frontier.css")), glance(found), shell, element("script", {}, asset("frontier.js"))]


def glance(found: Frontier) -> Markup:
    """The smallest budget that costs little, in large figures."""
    planned = found.of(PLANNED)
    half = min(planned, key=lambda point: abs(point.budget - 0.5))
    shown = [
        Figure(f"{half.budget:.0%}".replace("%", " %"), f"of attention's {found.resource}"),
        Figure(change(found, half.loss), "perplexity against all of it"),
        Figure(f"{100 * half.agreement:.1f} %", "of next tokens the same"),
        Figure(f"{megabytes(half.bytes)} of {megabytes(found.bytes)}", "MB of cache kept"),
    ]
    return figures(shown)


def dial(found: Frontier) -> Markup:
    """A range whose stops are the budgets, and a choice of policy."""
    stops = len(found.of(PLANNED))
    reach = {"type": "range", "min": 0, "max": stops - 1, "step": 1, "value": 0, "id": "fr-budget", "aria-describedby": "fr-said"}
    options = [element("option", {"value": index}, policy) for index, policy in enumerate(found.policies)]
    return element(
        "div",
        {"class": "dial"},
        label("fr-budget", "Budget"),
        element("div", {"class": "track"}, element("input", reach), element("div", {"class": "stops", "aria-hidden": "true"})),
        label("fr-policy", "Policy"),
        element("select", {"id": "fr-policy"}, join(*options)),
        element("output", {"id": "fr-said", "for": "fr-budget fr-policy", "aria-live": "polite"}),
    )


def label(of: str, text: str) -> Markup:
    """What a control is for."""
    return element("label", {"for": of}, text)


def plot(found: Frontier) -> Markup:
    """The empty frame of the curves."""
    axes = [element("option", {"value": "predicted"}, "ms predicted, attention core")]
    if found.resource != "milliseconds":
        axes.insert(0, element("option", {"value": "spent"}, f"{found.resource}, attention core"))
    if found.measured is not None:
        axes.append(element("option", {"value": "measured"}, "ms measured, whole model"))
    names = {"loss": "nats a token lost", "kl": "KL to dense, nats a token"}
    measures = [element("option", {"value": key}, name) for key, name in names.items()]
    return element(
        "figure",
        {"class": "plot"},
        element("figcaption", {}, "Loss against cost"),
        element("ul", {"class": "keys", "aria-label": "Policies"}),
        element("p", {"class": "measure"}, label("fr-measure", "up, logarithmic: "), element("select", {"id": "fr-measure"}, *measures)),
        element(
            "div",
            {"class": "frame"},
            element("div", {"class": "ticks y", "aria-hidden": "true"}),
            element("div", {"class": "field"}),
            element("div", {"class": "ticks x", "aria-hidden": "true"}),
        ),
        element("p", {"class": "measure x"}, label("fr-axis", "across: "), element("select", {"id": "fr-axis"}, *axes)),
        element("p", {"class": "readout"}),
    )


def grid() -> Markup:
    """The empty grid of heads."""
    return element(
        "figure",
        {"class": "cells"},
        element("figcaption", {}, "What each head is given"),
        element("ul", {"class": "keys", "aria-label": "Options"}),
        element("div", {"class": "table", "role": "group", "aria-label": "Layers down, heads across; arrow keys move"}),
        element("p", {"class": "size"}, "The larger a square, the more would be lost without that head."),
        element("p", {"class": "readout", "aria-live": "polite"}),
    )


def numbers(found: Frontier) -> Markup:
    """Every point as a row."""
    head = [
        "policy",
        "budget",
        "attention ms, predicted",
        "model ms, measured",
        "loss",
        "95 % bound",
        "perplexity",
        "KL",
        "same token",
        "cache MB",
        "front",
    ]
    dense = ["dense", "100 %", figure(found.predicted), figure(found.measured), "0", "", number(found.perplexity(0.0)), "0", "100 %"]
    rows = [[*dense, megabytes(found.bytes), ""], *(row(found, point) for policy in found.policies for point in found.of(policy))]
    return table(head, rows, f"Loss in nats a token over {found.unit}")


def row(found: Frontier, point: Point) -> list[str]:
    """One point in figures."""
    return [
        point.policy,
        f"{100 * point.budget:.0f} %",
        figure(point.predicted),
        figure(point.measured),
        f"{point.loss:+.4f}",
        f"{point.upper:+.4f}" if math.isfinite(point.upper) else "none",
        number(found.perplexity(point.loss)),
        f"{point.kl:.4f}",
        f"{100 * point.agreement:.1f} %",
        megabytes(point.bytes),
        "yes" if point.front else "",
    ]


def notes(found: Frontier) -> list[Markup]:
    """What a reader should know."""
    return [paragraph(note) for note in found.notes]


def change(found: Frontier, loss: float) -> str:
    """A loss as a change of perplexity."""
    return f"{100 * math.expm1(min(loss, 20)):+.2f} %"


def figure(value: float | None) -> str:
    """A number as it is read; nothing for none.

    >>> figure(0.01234), figure(12.34), figure(1234.5), figure(None)
    ('0.0123', '12.3', '1,234', '')
    """
    if value is None:
        return ""
    if not math.isfinite(value):
        return "∞"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def megabytes(value: float) -> str:
    """Bytes in millions."""
    return f"{value / 1e6:.3g}" if value < 1e9 else f"{value / 1e6:,.0f}"


def data_of(found: Frontier) -> dict[str, Any]:
    """What the script draws from."""
    return {
        "resource": found.resource,
        "dense": {"spent": found.spent, "predicted": found.predicted, "measured": found.measured, "nats": found.nats},
        "policies": list(found.policies),
        "points": [point_data(found, point) for point in found.points],
        "sites": [{"name": site.name, "heads": site.heads} for site in found.sites],
        "options": list(found.options),
        "losses": [[rounded(value) for value in line] for line in found.losses],
        "milliseconds": [[rounded(value) for value in line] for line in found.milliseconds],
        "openings": [[rounded(value) for value in line] for line in found.openings],
    }


def point_data(found: Frontier, point: Point) -> dict[str, Any]:
    """One point; numbers that JSON cannot hold become null."""
    return {
        "policy": found.policies.index(point.policy),
        "budget": point.budget,
        "spent": rounded(point.spent),
        "predicted": rounded(point.predicted),
        "measured": None if point.measured is None else rounded(point.measured),
        "loss": rounded(point.loss),
        "upper": rounded(point.upper) if math.isfinite(point.upper) else None,
        "perplexity": rounded(found.perplexity(point.loss)) if math.isfinite(found.perplexity(point.loss)) else None,
        "kl": rounded(point.kl),
        "agreement": rounded(point.agreement),
        "front": point.front,
        "choices": list(point.choices),
    }


def rounded(value: float) -> float:
    """To significant digits.

    >>> rounded(0.000123456), rounded(0.0)
    (0.0001235, 0.0)
    """
    return float(f"{value:.{DIGITS}g}")


def asset(name: str) -> Markup:
    """A file beside this one."""
    return Markup(files("heedful.manage.frontier").joinpath(name).read_text(encoding="utf-8"))
