"""Which of many items are looked at closely: the most promising without their words, and the best of every source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from jaxtyping import Float

from heedful.diet.day.crowd import Crowd, Kind
from heedful.diet.day.features import Asked, features, fresh, quiet, retold
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
    crowd = Crowd.of(pieces)
    return best(crowd, rough(crowd, pasts, wishes, now), most)


def best(crowd: Crowd, promise: Float[np.ndarray, " m"], most: int = MOST) -> list[int]:
    """The places of `most` of the items, by what each promises."""
    order = np.argsort(-promise, kind="stable").tolist()
    count: Counter[str] = Counter()
    first: list[int] = []
    for i in order:
        source = crowd.kinds[i].source
        if count[source] < EACH:
            count[source] += 1
            first.append(i)
            if len(first) == most // 2:
                break
    chosen = set(first)
    return sorted([*first, *[i for i in order[:most] if i not in chosen][: most - len(first)]])


def rough(crowd: Crowd, pasts: Sequence[Past], wishes: Wishes, now: float) -> Float[np.ndarray, " m"]:
    """(m,) what a minute of each promises, its words left out: by the first weights, and what is known of topic, source and depth."""
    kinds: dict[Kind, int] = {}
    kind = np.array([kinds.setdefault(one, len(kinds)) for one in crowd.kinds], dtype=int)
    few = [Piece("", "", one.source, 1.0, now, one.topic, one.viewpoint, one.depth) for one in kinds]
    known = features(Asked(few, np.full(len(few), now), pasts, np.zeros((len(few), len(pasts))), wishes.length))[kind]
    known[:, 6:9] = np.stack([fresh(np.full(len(kind), now), crowd.published), retold(crowd.told), quiet(crowd.rate)], axis=1)
    found: Float[np.ndarray, " m"] = known @ first_weights(wishes)
    return found
