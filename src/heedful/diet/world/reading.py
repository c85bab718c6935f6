"""What a simulated reader makes of one item: whether it is opened, how far it is read, and what it is worth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from heedful.diet.world.items import Items
from heedful.diet.world.parameters import Parameters
from heedful.diet.world.readers import Readers


@dataclass(frozen=True, eq=False)
class Met:
    """An item as it meets each of r readers: what it is to them at this moment, a minute where it is a worth."""

    minutes: Float[np.ndarray, " r"]
    promised: Float[np.ndarray, " r"]
    worth: Float[np.ndarray, " r"]
    lure: Float[np.ndarray, " r"]
    chances: Float[np.ndarray, "r c"]
    noise: Float[np.ndarray, "r 2"]


@dataclass(frozen=True, eq=False)
class Response:
    """What came of an item, (r,) each; zeros where none was offered.

    Arguments:
        opened, finished, saved: 0 or 1.
        minutes: how long it was read, at most what it takes.
        rating: 1 worth it, -1 not worth it, 0 not rated.
        revisited, later: of the next day: 1 where it was read again, and a rating made then.
        worth: hidden: the worth of all of it, in minutes well spent.
    """

    opened: Float[np.ndarray, " r"]
    minutes: Float[np.ndarray, " r"]
    finished: Float[np.ndarray, " r"]
    rating: Float[np.ndarray, " r"]
    saved: Float[np.ndarray, " r"]
    revisited: Float[np.ndarray, " r"]
    later: Float[np.ndarray, " r"]
    worth: Float[np.ndarray, " r"]


def chance(logit: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """A probability from a logit."""
    found: Float[np.ndarray, "..."] = 1 / (1 + np.exp(-logit))
    return found


def promise(p: Parameters, readers: Readers, items: Items) -> Float[np.ndarray, "r n"]:
    """(r, n) the worth a minute of items that interests, curiosity and satiation give them this moment, without their quality."""
    topic = items.topic
    novelty = readers.curiosity[:, None] / (1 + np.take_along_axis(readers.known, topic, 1))
    tired = p.satiation * np.take_along_axis(readers.recent, topic, 1)
    liked = np.take_along_axis(readers.interest, topic, 1) + np.take_along_axis(readers.view, items.view, 1)
    found: Float[np.ndarray, "r n"] = p.base + liked + novelty - tired
    return found


def respond(p: Parameters, readers: Readers, met: Met, place: Float[np.ndarray, " r"], offered: Bool[np.ndarray, " r"]) -> Response:
    """What each reader does with the item, decided by the item's own numbers: the same item is opened or not whoever offers it."""
    u = met.chances
    logit = p.open_base + p.open_interest * met.promised + p.open_lure * readers.lured * met.lure - p.open_place * place
    opened = offered & (u[:, 0] < chance(logit))
    finished = opened & (u[:, 1] < chance(p.finish_base + p.finish_worth * met.worth))
    minutes = np.where(finished, met.minutes, opened * met.minutes * (0.1 + 0.4 * u[:, 2]))
    felt = met.worth + p.rating_noise * met.noise[:, 0]
    # the next day a lure is remembered for what it was: it counts once more
    thought = met.worth - p.lure_cost * met.lure + p.rating_noise * met.noise[:, 1]
    saved = finished & (u[:, 4] < chance(p.saves_base + p.saves_worth * met.worth))
    revisited = saved & (u[:, 5] < p.revisits)
    read = met.worth * minutes**p.length
    return Response(
        opened=opened.astype(float),
        minutes=minutes,
        finished=finished.astype(float),
        rating=np.where(opened & (u[:, 3] < p.rates), np.sign(felt), 0.0),
        saved=saved.astype(float),
        revisited=revisited.astype(float),
        # the same number as the first rating's, from its other end, so that the two are asked apart
        later=np.where(opened & (u[:, 3] > 1 - p.rates_later), np.sign(thought), 0.0),
        worth=read + revisited * p.delayed * np.maximum(read, 0.0),
    )
