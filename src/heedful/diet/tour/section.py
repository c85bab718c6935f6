"""The report's second half: one dial, to the left what the model's heads are given, to the right what the reader's minutes go to."""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

from heedful.diet.day.reasons import because, parts
from heedful.diet.tour.simulated import MINUTES, Day, day
from heedful.explanations.markup import Markup, element, join
from heedful.explanations.page import Section
from heedful.explanations.parts.bars import Bar, bars
from heedful.explanations.parts.prose import command, paragraph
from heedful.explanations.parts.table import table

SHARES: Final = (1.0, 0.75, 0.5, 0.25)
READERS: Final = 6  # simulated, for the table's means; the first one's editions are shown
WHOLE: Final = "full"  # what a head has where nothing is saved
LEAD: Final = (
    "Attention is spent the same way in both: there is a budget, everything that asks for some of it has a value and a price, and what is "
    "worth most for its price is taken. The reader is simulated: nothing here is a result about people."
)


class Told(NamedTuple):
    """An item of an edition."""

    title: str
    minutes: float
    because: str


@dataclass(frozen=True)
class Stop:
    """One budget: the share, the edition under it, and what it is worth to the simulated reader beside the newest first."""

    share: float
    told: tuple[Told, ...]
    topics: dict[str, float]
    minutes: float
    worth: float
    newest: float


def section(folder: Path, seed: int = 0) -> Section:
    """The section, from the frontier that the tour kept in its folder."""
    every = [[stop(reader, share) for share in SHARES] for reader in (day(seed + i) for i in range(READERS))]
    stops = every[0]
    frontier = json.loads((folder / "fitted" / "frontier.json").read_text(encoding="utf-8"))
    reach = {"type": "range", "min": 0, "max": len(SHARES) - 1, "step": 1, "value": 2, "id": "both-budget"}
    dial = element(
        "div", {"class": "dial"}, element("label", {"for": "both-budget"}, "Budget"), element("input", reach), element("output", {})
    )
    shown = [pair(frontier, one, stops[0], i) for i, one in enumerate(stops)]
    both = element("div", {"class": "both"}, dial, *shown)
    shown_parts = [element("style", {}, asset("both.css")), both, element("script", {}, asset("both.js")), numbers(frontier, every)]
    again = command("heedful diet init --starter")
    return Section("One dial: a model's heads, a reader's minutes", LEAD, [*shown_parts, again], "both")


def stop(reader: Day, share: float) -> Stop:
    """The edition at a share of the minutes."""
    morning = replace(reader.morning, minutes=MINUTES * share)
    keys = morning.edition.keys
    pieces = {one.key: one for one in morning.pieces}
    topics = Counter[str]()
    for key in keys:
        topics[pieces[key].topic] += pieces[key].minutes  # type: ignore[assignment]
    told = tuple(
        Told(f"{pieces[one.key].title} ({pieces[one.key].topic})", one.minutes, because(parts(morning, one), one.floor))
        for one in morning.edition.shares
    )
    return Stop(
        share, told, dict(topics.most_common()), morning.edition.minutes, reader.worth(keys), reader.worth(reader.newest(MINUTES * share))
    )


def pair(frontier: dict[str, Any], one: Stop, whole: Stop, index: int) -> Markup:
    """Both sides at one stop of the dial."""
    said = f"{100 * one.share:.0f} % of each"
    heads = element("div", {"class": "side"}, element("h3", {}, "The model's heads"), *model(frontier, one.share))
    kept = f"{one.minutes:.0f} minutes, {len(one.told)} items: {one.worth:.1f} minutes well spent"
    share = f", {one.worth / whole.worth:.0%} of the full day's" if index and whole.worth > 0 else ""
    told = f"{kept}{share}; the newest first: {one.newest:.1f}."
    items = [
        element("li", {}, element("b", {}, f"{item.minutes:.1f} min "), item.title, element("small", {}, f" {item.because}"))
        for item in one.told
    ]
    spent = bars([Bar(topic, minutes) for topic, minutes in one.topics.items()], "Where the minutes go", "min", full=MINUTES / 2)
    minutes = element(
        "div", {"class": "side"}, element("h3", {}, "The reader's minutes"), paragraph(told), spent, element("ol", {}, join(*items))
    )
    return element("div", {"class": "pair", "data-stop": index, "data-said": said, "hidden": index != 2}, heads, minutes)


def model(frontier: dict[str, Any], share: float) -> list[Markup]:
    """What every head is given at a share, and what it costs."""
    point = nearest(frontier, share)
    count = sum(site["heads"] for site in frontier["sites"])
    if point is None:
        given, told = [WHOLE] * count, "All of its attention."
    else:
        given = [str(frontier["options"][choice]) for choice in point["choices"]]
        told = f"{100 * point['budget']:.0f} % of attention's {frontier['resource']}: perplexity {100 * math.expm1(point['loss']):+.2f} %."
    names = options(frontier)
    rows, at = [], 0
    for i, site in enumerate(frontier["sites"]):
        cells = [cell(given[at + head], names, f"layer {i + 1}, head {head + 1}") for head in range(site["heads"])]
        at += site["heads"]
        rows.append(element("div", {"class": "row"}, element("small", {}, f"layer {i + 1}"), join(*cells)))
    keys = [
        element("li", {}, element("i", {"class": looks(names.index(name))}), f"{name}: {given.count(name)}")
        for name in names
        if name in given
    ]
    return [paragraph(told), element("div", {"class": "heads-given"}, join(*rows)), element("ul", {"class": "given-keys"}, join(*keys))]


def options(frontier: dict[str, Any]) -> list[str]:
    """Every option that a head has at any stop: one colour each, whatever the dial says."""
    planned = [point for point in frontier["points"] if point["policy"] == "planned"]
    return list(dict.fromkeys([WHOLE, *(str(frontier["options"][choice]) for point in planned for choice in point["choices"])]))


def cell(given: str, names: list[str], said: str) -> Markup:
    """One head."""
    told = f"{said}: {given}"
    return element("i", {"class": looks(names.index(given)), "role": "img", "title": told, "aria-label": told})


def looks(place: int) -> str:
    """Six colours, then the same ones striped."""
    return f"given g{place % 6}" + (" striped" if place % 12 >= 6 else "")


def nearest(frontier: dict[str, Any], share: float) -> dict[str, Any] | None:
    """The planned point of a share; None for all of it."""
    planned = [point for point in frontier["points"] if point["policy"] == "planned"]
    if share == 1 or not planned:
        return None
    found: dict[str, Any] = min(planned, key=lambda point: abs(point["budget"] - share))
    return found


def numbers(frontier: dict[str, Any], every: list[list[Stop]]) -> Markup:
    """Every stop as a row; the readers' figures are means."""
    head = ["budget", "model: perplexity", "readers: minutes", "well spent", "newest first", "well spent a minute"]
    rows = []
    for place, share in enumerate(SHARES):
        point = nearest(frontier, share)
        change = "0 %" if point is None else f"{100 * math.expm1(point['loss']):+.2f} %"
        minutes, worth, newest = (
            sum(value) / len(every)
            for value in zip(*((one[place].minutes, one[place].worth, one[place].newest) for one in every), strict=True)
        )
        rows.append(
            [f"{100 * share:.0f} %", change, f"{minutes:.1f}", f"{worth:.1f}", f"{newest:.1f}", f"{worth / max(minutes, 1e-9):.2f}"]
        )
    return table(head, rows, f"The same budgets in figures: one model, the mean of {len(every)} simulated readers")


def asset(name: str) -> Markup:
    """A file beside this one."""
    return Markup(files("heedful.diet.tour").joinpath(name).read_text(encoding="utf-8"))
