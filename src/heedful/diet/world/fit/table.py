"""All that the logs under $HEEDFUL_DATA say of the parameters, beside what the world has."""

from __future__ import annotations

from pathlib import Path

from heedful.data.sources import data_home
from heedful.diet.world.fit.articles import articles
from heedful.diet.world.fit.clicks import clicks
from heedful.diet.world.fit.ratings import ratings
from heedful.diet.world.parameters import Parameters


def table(home: Path | None = None) -> str:
    """A Markdown table; `DataError` where a log is missing."""
    home, p = home or data_home(), vars(Parameters())
    rows = [*articles(home), *ratings(home), *clicks(home)]
    lines = ["| parameter | the world has | the log says | standard error | what was counted |", "|---|---|---|---|---|"]
    for one in rows:
        error = "" if one.error is None else f"{one.error:.3f}"
        lines.append(f"| {one.parameter} | {p[one.parameter]:g} | {one.value:.3f} | {error} | {one.counted} |")
    return "\n".join(lines)
