"""What policies see of a simulated morning: no hidden interest, quality or lure, but titles, sources and the reader's own log."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from heedful.diet.policy.offer import Offer
from heedful.diet.world.world import World


def names(world: World) -> list[str]:
    """The features, in their order."""
    p = world.p
    groups = [f"{facet} {i}" for facet, size in (("topic", p.topics), ("source", p.sources), ("view", p.views)) for i in range(size)]
    return [*groups, "one", "log minutes", "quality seen", "lure seen", "lately", "new"]


def features(world: World) -> Float[np.ndarray, "r n f"]:
    """(r, n, f): groups as ones and zeros, then numbers; `lately` and `new` are counted from the reader's own log."""
    items, p = world.today(), world.p
    r, n = items.minutes.shape
    found = np.zeros((r, n, p.topics + p.sources + p.views + 6))
    rows, columns = np.arange(r)[:, None], np.arange(n)[None, :]
    for start, of in ((0, items.topic), (p.topics, items.source), (p.topics + p.sources, items.view)):
        found[rows, columns, start + of] = 1.0
    lately = np.take_along_axis(world.readers.recent, items.topic, 1) / 10
    new = 1 / (1 + np.take_along_axis(world.readers.known, items.topic, 1))
    numbers = (np.ones((r, n)), np.log(items.minutes), items.quality_seen, items.lure_seen, lately, new)
    for k, column in enumerate(numbers):
        found[..., p.topics + p.sources + p.views + k] = column
    return found


def offer(world: World) -> Offer:
    """The morning as policies get it; readers who stay away today have no candidates."""
    items = world.today()
    facets = {"topic": items.topic, "source": items.source, "view": items.view, "depth": items.depth}
    minutes = np.where(world.here[:, None], items.minutes, np.inf)
    return Offer(features(world), minutes, facets, items.story, world.minutes)
