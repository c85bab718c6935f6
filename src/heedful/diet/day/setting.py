"""Settings changed by their names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from heedful.diet.day.today import WISHES, wishes_of
from heedful.diet.day.wishes import SLIDERS, Wishes
from heedful.diet.store.store import Store
from heedful.errors import UsageError, unknown

SAYS: Final = {
    "minutes": "of an ordinary day",
    **SLIDERS,
    "worth": "what a minute spent otherwise is worth: what promises less is left out",
    "reward.opened": "for an item that was opened, shared out over its minutes",
    "reward.minutes": "for every minute it was read",
    "reward.finished": "for one that was read to its end",
    "reward.worth": "for one called worth it, taken off for one that was not",
    "reward.delayed": "for one saved, read again, or called worth it on a later day",
}


def flat(wishes: Wishes) -> list[tuple[str, float, str]]:
    """Every setting by its name, with its value and what it means."""
    record = wishes.record()
    found = [(name, float(value), SAYS[name]) for name, value in record.items() if not isinstance(value, Mapping)]
    found += [(f"targets.{name}", share, "share of the minutes that the topic is to have") for name, share in record["targets"].items()]
    return found + [(f"reward.{name}", value, SAYS[f"reward.{name}"]) for name, value in record["reward"].items()]


def changed(store: Store, changes: Iterable[str]) -> Wishes:
    """Settings with NAME=VALUE changed, kept; a target of 0 is none.

    Raises `UsageError` for a name there is not, or a value out of range.
    """
    record = wishes_of(store).record()
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign:
            raise UsageError(f"{change!r}: NAME=VALUE would work, as minutes=20")
        put(record, name.strip(), number(name, value))
    wishes = Wishes.of(record)
    store.set_setting(WISHES, wishes.record())
    return wishes


def put(record: dict[str, Any], name: str, value: float) -> None:
    """One setting into the record."""
    where, _, inner = name.partition(".")
    if where == "targets" and inner:
        record["targets"] = {key: share for key, share in {**record["targets"], inner: value}.items() if share}
    elif name in SAYS:
        (record["reward"] if where == "reward" else record)[inner or name] = value
    else:
        raise unknown("setting", name, (*SAYS, "targets.TOPIC"))


def number(name: str, value: str) -> float:
    """A number."""
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"{name} is {value!r}: a number would work") from None
