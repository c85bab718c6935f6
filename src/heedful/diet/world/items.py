"""The items of a simulated day, drawn for every reader from numbers of the reader's own."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from jaxtyping import Float, Int

from heedful.diet.world.parameters import Parameters

NORMALS: Final = 7  # normal numbers an item takes: minutes, quality, what is seen of it, lure, what is seen of it, two ratings
UNIFORMS: Final = 9  # uniform numbers: topic, source, story, opened, finished, how far, rated, saved, revisited or rated later
BRIEF, LONG = 2.0, 6.0  # minutes that part briefs, reports and long reads
SHORTEST, LONGEST = 0.5, 25.0  # minutes of any item


@dataclass(frozen=True, eq=False)
class Items:
    """What arrived, (r, n): what can be seen of it, and what only reading tells (quality, lure).

    Arguments:
        minutes: what reading it takes this reader.
        topic, source, view, depth: groups, from 0.
        story: what it tells of, a number of the topic's own.
        quality, lure: hidden, a minute.
        quality_seen, lure_seen: what a look at title and summary says of them.
        chances: (r, n, 6) uniform numbers that decide what is done with it.
        noise: (r, n, 2) normal numbers of its ratings.
    """

    minutes: Float[np.ndarray, "r n"]
    topic: Int[np.ndarray, "r n"]
    source: Int[np.ndarray, "r n"]
    view: Int[np.ndarray, "r n"]
    depth: Int[np.ndarray, "r n"]
    story: Int[np.ndarray, "r n"]
    quality: Float[np.ndarray, "r n"]
    lure: Float[np.ndarray, "r n"]
    quality_seen: Float[np.ndarray, "r n"]
    lure_seen: Float[np.ndarray, "r n"]
    chances: Float[np.ndarray, "r n c"]
    noise: Float[np.ndarray, "r n 2"]


@dataclass(frozen=True, eq=False)
class Press:
    """The sources that all readers of a world share: how good they are, and from where they see things."""

    quality: Float[np.ndarray, " s"]
    view: Int[np.ndarray, " s"]

    @classmethod
    def drawn(cls, p: Parameters, rng: np.random.Generator) -> Press:
        """Sources of a world."""
        return cls(rng.normal(0, p.source_quality, p.sources), rng.permutation(np.arange(p.sources) % p.views))


def zipf(count: int, skew: float) -> Float[np.ndarray, " n"]:
    """Upper ends of the shares of so many groups by Zipf's law; the last is 1.

    >>> zipf(2, 1.0).round(3).tolist()
    [0.667, 1.0]
    """
    shares = np.arange(1, count + 1, dtype=float) ** -skew
    ends: Float[np.ndarray, " n"] = np.cumsum(shares / shares.sum())
    ends[-1] = 1.0
    return ends


def arrived(p: Parameters, press: Press, normals: Float[np.ndarray, "r n 7"], uniforms: Float[np.ndarray, "r n 9"]) -> Items:
    """The items that these numbers stand for."""
    topic = np.searchsorted(zipf(p.topics, p.topic_skew), uniforms[..., 0], side="right")
    source = np.searchsorted(zipf(p.sources, p.source_skew), uniforms[..., 1], side="right")
    minutes = np.clip(np.exp(p.minutes_log_mean + p.minutes_log_spread * normals[..., 0]), SHORTEST, LONGEST)
    # half-normal beyond the share that promises no more than it holds
    lure = np.maximum(0.0, normals[..., 3] + NormalDist().inv_cdf(min(max(p.lure, 1e-6), 1 - 1e-6)))
    quality = press.quality[source] + p.quality * normals[..., 1] - p.lure_cost * lure
    return Items(
        minutes=minutes,
        topic=topic,
        source=source,
        view=press.view[source],
        depth=(minutes > BRIEF).astype(int) + (minutes > LONG),
        story=topic * p.stories + (uniforms[..., 2] * p.stories).astype(int),
        quality=quality,
        lure=lure,
        quality_seen=press.quality[source] + p.quality * normals[..., 1] + p.quality_seen * normals[..., 2],
        lure_seen=lure + p.lure_seen * normals[..., 4],
        chances=uniforms[..., 3:],
        noise=normals[..., 5:],
    )
