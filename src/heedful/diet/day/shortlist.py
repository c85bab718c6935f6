"""Which of many items are looked at closely: the most promising without their words, and the best of every source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from jaxtyping import Float

from heedful.diet.day.features import Asked, features
from heedful.diet.day.piece import Past, Piece
from heedful.diet.day.simple import first_weights
from heedful.diet.day.wishes import Wishes

MOST: Final = 160  # items looked at closely
EACH: Final = 2  # of these at least, of every source, as long as there is room


def shortlist(pieces: Sequence[Piece], pasts: Sequence[Past], wishes: Wishes, now: float, most: int = MOST) -> list[int]:
    """The places of the items to look at; all of them where there are few.

    Half of the room at most goes to the best of each source, so that a source of one item a month is seen among one of a hundred a day.
    """
    if len(pieces) <= most:
        return list(range(len(pieces)))
    promise = rough(pieces, pasts, wishes, now)
    order = np.argsort(-promise, kind="stable").tolist()
    count: Counter[str] = Counter()
    first: list[int] = []
    for i in order:
        if count[pieces[i].source] < EACH and len(first) < most // 2:
            count[pieces[i].source] += 1
            first.append(i)
    chosen = set(first)
    return sorted([*first, *[i for i in order if i not in chosen][: most - len(first)]])


def rough(pieces: Sequence[Piece], pasts: Sequence[Past], wishes: Wishes, now: float) -> Float[np.ndarray, " m"]:
    """(m,) what a minute of each promises, its words left out: by the first weights, and what is known of topic, source and depth."""
    kinds: dict[tuple[str, str, str, str], int] = {}
    kind = np.array([kinds.setdefault((one.topic, one.source, one.viewpoint, one.depth), len(kinds)) for one in pieces])
    first = np.zeros(len(kinds), dtype=int)
    first[kind[::-1]] = np.arange(len(pieces))[::-1]
    few = [replace(pieces[i], words="") for i in first]
    known = features(Asked(few, np.full(len(few), now), pasts, np.zeros((len(few), len(pasts))), wishes.length))[kind]
    own = features(Asked(pieces, np.full(len(pieces), now), [], np.zeros((len(pieces), 0)), wishes.length))
    known[:, 6:9] = own[:, 6:9]
    found: Float[np.ndarray, " m"] = known @ first_weights(wishes)
    return found
