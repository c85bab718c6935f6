"""The tour's last stop."""

from __future__ import annotations

from pathlib import Path

from heedful.diet.tour.section import section
from heedful.explanations.page import Section
from heedful.tasks.tour.guide import Guide


def reader(folder: Path, guide: Guide) -> Section:
    """Thirty minutes of a simulated reader under the same dial as the model's heads."""
    guide.arrive("The same dial for a person", "A simulated reader's thirty minutes, spent as the heads' operations were.")
    found = section(folder)
    guide.say("Simulated: what half of the minutes keep, and what the newest first would have given, stands in the report.")
    return found
