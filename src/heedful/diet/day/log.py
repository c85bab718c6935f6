"""The reader's own log, as other policies are judged by it: each edition again as it was decided, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np
from jaxtyping import Float

from heedful.diet.day.day import Morning
from heedful.diet.day.gathered import filled, gathered, signals
from heedful.diet.day.simple import first_weights
from heedful.diet.day.wishes import Wishes
from heedful.diet.policy.log import Decision
from heedful.diet.policy.places import Places
from heedful.diet.store.rows import Feedback, Made
from heedful.diet.store.store import Store

Values = Callable[[Float[np.ndarray, "n f"], np.random.Generator], Float[np.ndarray, " n"]]
OTHERS: Final = (
    "served, without exploring",
    "sliders alone",
    "newest first",
    "shortest first",
)  # the first columns of a decision's features


def decisions(store: Store) -> list[Decision]:
    """Every edition of the log, the first one first; the newest of each day, which is the one that was read."""
    last: dict[str, Made] = {}
    for made in store.editions():
        last.setdefault(made.day, made)
    ordered = sorted(last.values(), key=lambda made: made.at)
    owed = credited(store, ordered)
    found = (decision(store, made, owed.get(made.id, {})) for made in ordered)
    return [one for one in found if one is not None]


def credited(store: Store, editions: Sequence[Made]) -> dict[int, dict[int, list[Feedback]]]:
    """What was said of each item, by the edition that showed it last before the first word; of no edition where none had."""
    said: dict[int, list[Feedback]] = {}
    for one in store.feedback():
        said.setdefault(one.item, []).append(one)
    owner: dict[int, int] = {}
    for made in editions:
        owner |= {one.item: made.id for one in store.shown(made.id) if one.item in said and said[one.item][0].at >= made.at}
    found: dict[int, dict[int, list[Feedback]]] = {}
    for item, edition in owner.items():
        found.setdefault(edition, {})[item] = said[item]
    return found


def decision(store: Store, made: Made, said: Mapping[int, list[Feedback]]) -> Decision | None:
    """One edition; None where nothing of it is left."""
    wishes = Wishes.of(made.diet["wishes"])
    found = gathered(store, wishes, made.at)
    morning = Morning(found.pieces, found.pasts, wishes, made.minutes, made.at, made.diet.get("seed", 0), fill=partial(filled, store))
    showings = store.shown(made.id)
    shown = {one.item: one.propensity for one in showings}
    keys = [int(one.key) for one in morning.close]
    inside = np.array([key in shown for key in keys], dtype=bool)
    if not inside.any():
        return None
    propensity = np.array([shown.get(key, np.nan) for key in keys])
    rewards = [
        float(wishes.reward(signals(said[key], piece.minutes))) if key in said else 0.0
        for key, piece in zip(keys, morning.close, strict=True)
    ]
    listed = placed([keys.index(one.item) for one in showings if one.item in keys], len(showings), made)
    return Decision(morning.candidates, morning.diet, columns(morning), inside, propensity, np.array(rewards), listed)


def placed(order: Sequence[int], shown: int, made: Made) -> Places | None:
    """How likely the list was; None for an edition made before that was logged, and for one of which items are gone."""
    found = made.diet.get("places")
    if found is None or len(order) != shown:
        return None
    return Places(np.array(order, dtype=int), np.array(found["item"]), np.array(found["list"]))


def columns(morning: Morning) -> Float[np.ndarray, "n f"]:
    """(n, 14) what each of `OTHERS` would have had an item be worth, then the features; all for the item's minutes."""
    minutes, x = morning.minutes_each, morning.taste.x
    told = [x @ morning.taste.simple.weights, x @ first_weights(morning.wishes), x[:, 6], 1 / minutes]
    found: Float[np.ndarray, "n f"] = np.concatenate([np.stack(told, axis=1), x], axis=1) * minutes[:, None]
    return found


def policies() -> dict[str, Values]:
    """The other policies: each could have been followed at the time, none has seen the log it is judged by."""
    return {name: partial(told_by, i) for i, name in enumerate(OTHERS)}


def told_by(i: int, features: Float[np.ndarray, "n f"], rng: np.random.Generator) -> Float[np.ndarray, " n"]:
    """The values of one column; nothing is drawn."""
    return features[:, i]
