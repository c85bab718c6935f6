"""AllSides (Baly et al. 2020): how long articles are, how uneven topics and sources, whether a source keeps to its viewpoint."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from heedful.data.files import read_text
from heedful.diet.world.fit.found import Found

CHARACTERS: Final = 6.0  # a word and its space, in English
PACE: Final = 238.0  # words a minute (Brysbaert 2019)


def articles(home: Path) -> list[Found]:
    """From `home`/allsides-news/articles.jsonl.gz."""
    rows: list[dict[str, Any]] = [json.loads(line) for line in read_text(home / "allsides-news" / "articles.jsonl.gz").splitlines() if line]
    minutes = np.log([max(row["chars"], 1) / CHARACTERS / PACE for row in rows])
    n, spread = len(rows), float(minutes.std())
    views = Counter((row["source"], row["bias"]) for row in rows)
    main = sum(max(count for (name, _), count in views.items() if name == source) for source in {row["source"] for row in rows})
    return [
        Found("minutes_log_mean", float(minutes.mean()), spread / np.sqrt(n), f"log minutes of {n:,} articles at {PACE:g} words a minute"),
        Found("minutes_log_spread", spread, spread / np.sqrt(2 * n), "the same"),
        Found("topic_skew", *skew([row["topic"] for row in rows], 12), "exponent of Zipf's law over the first 12 topics"),
        Found("source_skew", *skew([row["source"] for row in rows], 20), "exponent over the first 20 sources"),
        Found("views", main / n, None, "articles that have the main viewpoint of their source (the world: all)"),
    ]


def skew(names: Sequence[str], first: int) -> tuple[float, float]:
    """The slope of log counts over log ranks, turned round, and its standard error.

    >>> skew(["a"] * 8 + ["b"] * 4 + ["c"] * 2, 3)[0] > 1
    True
    """
    counts = np.log([count for _, count in Counter(names).most_common(first)])
    ranks = np.log(np.arange(1, len(counts) + 1))
    design = np.stack([ranks, np.ones_like(ranks)], 1)
    slope, left, *_ = np.linalg.lstsq(design, counts, rcond=None)
    error = np.sqrt(float(left[0]) / max(len(counts) - 2, 1) * np.linalg.inv(design.T @ design)[0, 0]) if len(left) else 0.0
    return -float(slope[0]), float(error)
