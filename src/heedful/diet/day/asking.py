"""Why one item is in the newest edition or not, as it was decided, and what would have decided otherwise."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from heedful.diet.day.gathered import filled, gathered
from heedful.diet.day.reasons import enough
from heedful.diet.day.saying import SAID, reasons
from heedful.diet.day.serving import serving
from heedful.diet.day.today import of_edition, wishes_of
from heedful.diet.store.rows import DONE, Made
from heedful.diet.store.store import Store


def why(store: Store, item: int, now: float) -> dict[str, Any]:
    """The reason as it was kept with the newest edition; counted anew only is what would have put an item in that is out.

    Raises `UsageError` for an item that is not in the store.
    """
    one = store.item(item)
    found: dict[str, Any] = {"item": item, "title": one.title or one.address, "edition": None, "inside": False}
    empty: dict[str, Any] = {"parts": [], "score": None, "leans": [], "otherwise": [], "chance": None, "more": reasons(store, item)}
    made = next(iter(store.editions(limit=1)), None)
    if made is None:
        return found | empty | {"verdict": "there is no edition yet: heedful diet today makes one"}
    found["edition"] = made.id
    entry = next((entry for entry in of_edition(store, made).entries if entry.item.id == item), None)
    if entry is None:
        return found | empty | outside(store, made, item, now)
    reason = entry.shown.reason
    told = f"in the edition of {made.day}, place {entry.shown.place + 1}: {reason.get('because', '')}"
    leans = [lean | {"title": title(store, int(lean["item"])), "said": word(float(lean["worth"]))} for lean in reason.get("leans", [])]
    below = reason.get("below")
    otherwise = [f"on a day of {below:g} minutes it would not be in" if below else "it would be in on a day of a tenth of the minutes too"]
    otherwise.append(f"it was in {entry.shown.propensity:.0%} of the editions that could have been drawn")
    return found | {
        "inside": True,
        "verdict": told,
        "parts": reason.get("parts", []),
        "score": entry.shown.score,
        "chance": entry.shown.propensity,
        "leans": leans,
        "otherwise": otherwise,
        "more": reasons(store, item),
    }


def outside(store: Store, made: Made, item: int, now: float) -> dict[str, Any]:
    """Why an item is not in, and from how many minutes on it would be."""
    line = store.passed(made.id).get(item)
    if line is not None:
        return {"verdict": f"not in the edition of {made.day}: {line}", "otherwise": [wider(store, made, item)]}
    said = [one.kind for one in store.feedback(item) if one.kind in DONE]
    if said:
        return {"verdict": f"not in the edition of {made.day}: it is behind you ({SAID[said[-1]]})"}
    if store.item(item).taken > made.at:
        return {"verdict": f"came in after the edition of {made.day} was made"}
    return {"verdict": f"not weighed for the edition of {made.day}: older than two weeks, or shown on two days without being opened"}


def wider(store: Store, made: Made, item: int) -> str:
    """From how many minutes on an item would be in, everything else as it was when the edition was made."""
    from heedful.diet.day.day import Morning

    wishes = replace(wishes_of(store), minutes=made.minutes)
    found = gathered(store, wishes, made.at)
    then = Morning(
        found.pieces, found.pasts, wishes, made.minutes, made.at, made.diet.get("seed", 0), serving(store), partial(filled, store)
    )
    minutes = enough(then, str(item))
    return (
        f"on a day of {minutes:.0f} minutes it would be in"
        if minutes
        else f"a day of {4 * made.minutes:.0f} minutes would not have it in either"
    )


def title(store: Store, item: int) -> str:
    """What a past read was called."""
    one = store.item(item)
    return one.title or one.address


def word(worth: float) -> str:
    """What it was worth."""
    return "worth it" if worth > 0.2 else "not worth it" if worth < -0.2 else "neither"
