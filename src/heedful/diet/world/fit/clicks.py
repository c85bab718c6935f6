"""Open Bandit (Saito et al. 2021): what a place further down costs. Its clicks are far too few, and of fashion, to say more."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from heedful.data.labelled.tables import read_rows
from heedful.diet.world.fit.found import Found


def clicks(home: Path) -> list[Found]:
    """From the uniform policy's logs, `home`/open-bandit/random."""
    rows = [row for name in ("men", "women") for row in read_rows(home / "open-bandit" / "random" / name / f"{name}.csv.gz", "utf-8")]
    place, click = np.array([float(row["position"]) for row in rows]), np.array([float(row["click"]) for row in rows])
    slope, error = logistic(place, click)
    return [Found("open_place", -slope, error, f"logits lost a place, {int(click.sum())} clicks of {len(rows):,} (uniform policy)")]


def logistic(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """The slope of a logistic regression by Newton's method, and its standard error.

    >>> abs(logistic(np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0]))[0]) < 1e-9
    True
    """
    design, weights = np.stack([np.ones_like(x), x], 1), np.zeros(2)
    for _ in range(30):
        chance = 1 / (1 + np.exp(-design @ weights))
        curvature = design.T @ (design * (chance * (1 - chance))[:, None])
        weights = weights + np.linalg.solve(curvature, design.T @ (y - chance))
    return float(weights[1]), float(np.sqrt(np.linalg.inv(curvature)[1, 1]))
