"""One sentence through the catalogue, with the trained transformer's embeddings and projections."""

from __future__ import annotations

import shlex

from heedful.explanations.page import Section
from heedful.explanations.parts.prose import command
from heedful.tasks.look.look import look
from heedful.tasks.look.page import DIFFERENCE, READING, differences, family_maps
from heedful.tasks.look.row import Pair
from heedful.tasks.look.run import run_vectors
from heedful.tasks.tour.guide import Guide
from heedful.tasks.tour.plan import Plan
from heedful.tasks.tour.trained import Trained

SIDE = 48  # cells a side of a map


def catalogue(model: Trained, plan: Plan, guide: Guide) -> Section:
    """A map for every score, and how far every mechanism is from scaled dot product."""
    pair = look([plan.sentence], run_vectors(model.folder), plan.seed).pairs[0]
    shown = [row for row in pair.rows if row.family == "score"]
    compared = [row for row in pair.rows if row.away]
    nearest, farthest = min(compared, key=lambda row: row.away or 0), max(compared, key=lambda row: row.away or 0)
    guide.say(f"{len(pair.rows)} mechanisms on “{plan.sentence}”: nearest to scaled dot product {nearest.name}, farthest {farthest.name}.")
    maps = family_maps(pair, "Scores", shown, SIDE)
    again = command(f"heedful look {shlex.quote(plan.sentence)} --run {model.folder} --out look.html")
    lead = f"“{plan.sentence}” in the transformer's own tokens, embeddings and first projections. {READING}"
    return Section("One sentence, every mechanism", lead, [*maps, words(pair), differences(pair.rows), again], "catalogue")


def words(pair: Pair) -> str:
    """What the table's numbers mean."""
    return f"{DIFFERENCE} Mechanisms that learn have random parameters here. {len(pair.rows)} rows in the whole catalogue."
