"""Why an item is not in the edition; nothing is left out without saying so."""

from __future__ import annotations

from heedful.diet.day.day import Morning
from heedful.diet.edition.ledger import Ledger


def passed(morning: Morning) -> dict[str, str]:
    """One line for each item that was not chosen, by its key."""
    ledger = Ledger(morning.diet, morning.candidates)
    inside = {key: morning.places[key] for key in morning.edition.keys}
    for i in inside.values():
        ledger.take(i)
    found = {one.key: why(morning, ledger, i) for i, one in enumerate(morning.close) if one.key not in inside}
    if len(morning.close) == len(morning.pieces):
        return found
    close = set(morning.chosen)
    line = f"not among the {len(close)} that were looked at closely: before its words it promised"
    each = enumerate(zip(morning.crowd.keys, morning.promise.tolist(), strict=True))
    return found | {key: f"{line} {promise:.2f} a minute" for i, (key, promise) in each if i not in close}


def why(morning: Morning, ledger: Ledger, i: int) -> str:
    """One item that was looked at."""
    one, candidate = morning.close[i], morning.candidates[i]
    told = [piece for piece in morning.close if piece.story == one.story and piece.key in set(morning.edition.keys)] if one.story else []
    if one.minutes > morning.minutes:
        return f"takes {one.minutes:.0f} min, and the day has {morning.minutes:.0f}"
    if told:
        return f"tells the story of “{told[0].title or told[0].key}”, which is in"
    gain = ledger.gain(i)
    a_minute = gain / one.minutes
    if gain <= 0:
        worth = morning.wishes.worth
        return f"promised {candidate.value / one.minutes:.2f} a minute, less than the {worth:.2f} your minutes are worth elsewhere"
    full = [g for g in ledger.groups[i] if ledger.most[g] < morning.minutes and ledger.by_group[g] + one.minutes > ledger.most[g]]
    if full:
        return f"{ledger.said(full[0])} has {ledger.by_group[full[0]]:.0f} of its {ledger.most[full[0]]:.0f} min at most already"
    left = morning.minutes - morning.edition.minutes
    return f"would add {a_minute:.2f} a minute, others added more; it takes {one.minutes:.1f} min and {left:.1f} were left"
