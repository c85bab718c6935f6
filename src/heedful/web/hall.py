"""All the runs that are served, found by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from heedful.errors import UsageError, unknown
from heedful.tasks.task import Asked
from heedful.web.bodies import Drawing
from heedful.web.limits import Limits
from heedful.web.metrics import Metrics
from heedful.web.runs.run import OpenRun
from heedful.web.station import Station


@final
class Hall:
    """The served runs, what bounds them, and what has been counted."""

    def __init__(self, runs: Mapping[str, OpenRun], limits: Limits) -> None:
        self.limits, self.metrics = limits, Metrics()
        self.stations = {name: Station(name, run, limits, self.metrics) for name, run in runs.items()}

    def station(self, name: str | None) -> Station:
        """The run of this name, or the only one; `UsageError` otherwise."""
        if name is None and len(self.stations) == 1:
            return next(iter(self.stations.values()))
        if name is None:
            raise UsageError(f"several runs are served: run would name one of {', '.join(self.stations)}")
        if name not in self.stations:
            raise unknown("run", name, self.stations)
        return self.stations[name]

    def asked(self, station: Station, drawing: Drawing | None) -> Asked:
        """How an answer is drawn; `UsageError` for what the run or the server does not do."""
        if drawing is None:
            return Drawing().asked() if station.run.goes_on else Asked()
        if not station.run.goes_on:
            raise UsageError(f"the run {station.name} draws nothing: without drawing it would work")
        if drawing.max_tokens > self.limits.tokens:
            raise UsageError(f"max_tokens is {drawing.max_tokens:,}: this server makes {self.limits.tokens:,} at most")
        return drawing.asked()

    def waiting(self) -> dict[str, int]:
        """How many inputs wait for each run."""
        return {name: len(station.line.waiting) for name, station in self.stations.items()}
