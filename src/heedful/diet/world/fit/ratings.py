"""MovieLens (Harper & Konstan 2015): how much films differ, how much people differ in genres, and what a rating leaves to chance.

Ratings are of films that their raters chose, so that people differ less in them than in what merely arrives: the widest genres
are the nearest to that. A star is about a unit of worth (ratings have standard deviation 1.04).
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from heedful.data.interactions.log import Log
from heedful.data.interactions.sources import load_log
from heedful.diet.world.fit.drift import Ratings, drifted
from heedful.diet.world.fit.found import Found
from heedful.spec.interactions import LogDataSpec

SHRUNK: Final = 5.0  # ratings that pull the mean of a user or film to the mean of all
GENRES: Final = 12
DAY: Final = 86_400.0
LEAST: Final = 5  # ratings of a genre that a user needs to be counted


def ratings(home: Path) -> list[Found]:
    """From `home`/ml-latest-small."""
    log = load_log(LogDataSpec(str(home / "ml-latest-small")))
    left, films = residuals(log)
    names = [[one for one in log.about_items[item].features if one.startswith("genres=")] for item in log.items]
    common = [name for name, _ in Counter(one for found in names for one in found).most_common(GENRES)]
    has = np.array([[name in found for name in common] for found in names])[log.item]
    spreads = np.array([between(left[has[:, g]], log.user[has[:, g]]) for g in range(GENRES)])
    shares = np.array([share(has[:, g], log.user) for g in range(GENRES)])
    n = len(log)
    return [
        Found("quality", films, films / np.sqrt(2 * len(log.items)), f"spread of films over {n:,} ratings"),
        Found("rating_noise", float(left.std()), float(left.std() / np.sqrt(2 * n)), "what rater and film leave of a rating"),
        Found("interest", float(np.median(spreads)), None, f"spread of people in a genre, the median of {GENRES} genres"),
        Found("interest", float(spreads.max()), None, "the same, the widest genre"),
        Found("open_interest", float(np.median(shares) / spreads.max()), None, "spread of log shares of genres watched, over that"),
        *drifted(Ratings(left, log.user, log.time / DAY, has)),
    ]


def residuals(log: Log) -> tuple[Float[np.ndarray, " n"], float]:
    """Ratings less the means of rater and film, and the spread of films."""
    user, film = np.zeros(len(log.users)), np.zeros(len(log.items))
    users, films = np.bincount(log.user, minlength=len(user)), np.bincount(log.item, minlength=len(film))
    around = log.values - log.values.mean()
    for _ in range(20):
        user = np.bincount(log.user, around - film[log.item], len(user)) / (users + SHRUNK)
        film = np.bincount(log.item, around - user[log.user], len(film)) / (films + SHRUNK)
    return around - user[log.user] - film[log.item], float(film[log.item].std())


def between(values: Float[np.ndarray, " n"], user: Int[np.ndarray, " n"]) -> float:
    """The spread of users' means beyond what chance gives them (method of moments)."""
    count = np.bincount(user)
    kept = count >= LEAST
    mean = np.bincount(user, values)[kept] / count[kept]
    within = (np.bincount(user, values**2)[kept] - count[kept] * mean**2).sum() / (count[kept] - 1).sum()
    return float(np.sqrt(max(mean.var() - (within / count[kept]).mean(), 0.0)))


def share(chosen: Float[np.ndarray, " n"], user: Int[np.ndarray, " n"]) -> float:
    """The relative spread of users' shares of a genre beyond chance: about that of their logarithms."""
    count = np.maximum(np.bincount(user), 1)
    shares, mean = np.bincount(user, chosen.astype(float)) / count, float(chosen.mean())
    return float(np.sqrt(max(shares.var() - (mean * (1 - mean) / count).mean(), 0.0)) / mean)
