"""What was looked at, as a page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Final

from heedful.explanations.markup import Markup, element, join
from heedful.explanations.page import Section, page
from heedful.explanations.parts.heatmap import Style, fitting, heatmap, ramp
from heedful.explanations.parts.table import table
from heedful.explanations.parts.thumbnail import gallery, thumbnail
from heedful.tasks.look.row import Look, Pair, Row

TITLE: Final = "Sentences through every mechanism"
BUDGET: Final = 1_300_000  # bytes for the maps of a page
FAMILIES: Final = {
    "score": "Scores: how well a query matches a key",
    "weighting": "Weightings: how scores become weights",
    "linear": "Linear attention: the matrix it has but never writes down",
    "mask": "Masks: what may be read at all",
    "position": "Positions: how places enter the scores",
}
READING: Final = (
    "Each map is A, the weights of head 1: a row is a query, a column a key, dark is much. Below a score's map stands the output A V, "
    "a row a token, blue above zero and orange below."
)
DIFFERENCE: Final = (
    "Away: half the sum of |A − A′| a query, A′ being scaled dot product's (0 the same, 1 nothing in common; above 1 where rows do not sum "
    "to one). Output: length of the change as a share of scaled dot product's output. Entropy in nats a query, distance in tokens "
    "between a query and what it reads. Means over heads and queries."
)
GATES: Final = (
    "Gates have no A: they scale the tokens' own features. Change is the length of the difference as a share of the input's; "
    "parameters are drawn at random around their starting point."
)


def look_page(seen: Look) -> str:
    """The page of everything that was looked at."""
    lead = f"Every mechanism of the catalogue on the same words. Numbers from {seen.origin}."
    maps = sum(row.weights is not None for pair in seen.pairs for row in pair.rows)
    side = fitting(maps, BUDGET)
    sections = [part for number, pair in enumerate(seen.pairs, 1) for part in pair_sections(pair, number, side)]
    return page(TITLE, lead, sections)


def pair_sections(pair: Pair, number: int, side: int) -> list[Section]:
    """The maps of one pair of sentences, and how far apart they are."""
    families = {name: list(rows) for name, rows in groupby(pair.rows, key=lambda row: row.family)}
    maps = [part for name, title in FAMILIES.items() if name in families for part in family_maps(pair, title, families[name], side)]
    numbers = [differences(pair.rows)]
    if "gate" in families:
        numbers.append(gate_table(families["gate"]))
    return [
        Section(pair.title, READING, maps, f"maps-{number}"),
        Section("How they differ" if number == 1 else f"How they differ: {pair.title}", DIFFERENCE, numbers, f"numbers-{number}"),
    ]


def family_maps(pair: Pair, title: str, rows: Sequence[Row], side: int) -> list[Markup]:
    """One family's maps side by side, on one scale."""
    top = max(float(row.weights[0].max()) for row in rows if row.weights is not None)
    return [element("h3", {}, title), ramp(top), gallery([card(pair, row, top, side) for row in rows], large=True)]


def card(pair: Pair, row: Row, top: float, side: int) -> Markup:
    """A mechanism's map under its formula, with the output where the family changes how it comes about."""
    assert row.weights is not None
    about = "; ".join(part for part in (row.formula, row.note) if part)
    shown = heatmap(row.weights[0], pair.queries, pair.keys, row.name, Style(top=top, most=side, legend=False, about=about))
    out = thumbnail(row.out, "", "output", "signed") if row.family in ("score", "linear") else ""
    return element("div", {"class": "card"}, shown, out)


def differences(rows: Sequence[Row]) -> Markup:
    """Every mechanism that has an A, the nearest to scaled dot product first."""
    ranked = sorted((row for row in rows if row.away is not None), key=lambda row: row.away or 0.0)
    cells = [(row.name, row.family, row.away, row.changed, row.entropy, row.distance, row.source) for row in ranked]
    head = ["mechanism", "family", "away", "output", "entropy", "distance", "source"]
    return table(head, cells, "Distance from scaled dot product, the nearest first")


def gate_table(rows: Sequence[Row]) -> Markup:
    """What each gate changes of the tokens themselves."""
    cells = [(row.name, row.changed, row.note, row.formula, row.source) for row in sorted(rows, key=lambda row: row.changed)]
    return join(element("p", {}, GATES), table(["gate", "change", "values", "formula", "source"], cells, "Gates on the same tokens"))
