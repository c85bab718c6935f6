"""What a run measured, a JSON object a line, in step with its checkpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heedful import atomic

Row = dict[str, Any]


class History:
    """Rows in memory and in a file; a row is on the disk's side before training goes on.

    Every row has "step" (optimiser steps done) and either "loss" (the mean since the row before, nats) with "rate",
    "tokens_per_second", "seconds", or "validation" (nats over the whole part).
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.rows: list[Row] = []

    def add(self, row: Mapping[str, Any]) -> None:
        """One more row."""
        self.rows.append(dict(row))
        if self.path is None:
            return
        with atomic.told(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def rewind(self, step: int) -> None:
        """Keep what was measured up to `step`; a line that a kill cut short is dropped too."""
        if self.path is None or not self.path.is_file():
            return
        self.rows = [row for row in read_history(self.path) if row["step"] <= step]
        atomic.write(self.path, "".join(json.dumps(row) + "\n" for row in self.rows))


def read_history(path: Path) -> list[Row]:
    """The whole rows of a history file."""
    rows: list[Row] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            break
        if isinstance(row, dict) and "step" in row:
            rows.append(row)
    return rows
