"""Which model serves: the simple one, until attention has beaten it on reads that neither has seen."""

from __future__ import annotations

from typing import Final

from heedful.diet.day.attentive import Attentive
from heedful.diet.day.day import Linear, Worth
from heedful.diet.day.gathered import gathered
from heedful.diet.day.judging import Verdict, judged
from heedful.diet.day.simple import Taste
from heedful.diet.day.today import wishes_of
from heedful.diet.store.store import Store

VERDICT: Final = "verdict"
AGAIN: Final = 1.1  # times as many reads as last time, after which the models are judged anew


def serving(store: Store) -> Worth:
    """The model that serves this reader."""
    state = store.setting(VERDICT, {}).get("state")
    return Linear() if state is None else Attentive.of(state)


def verdict(store: Store) -> Verdict:
    """What was found when the models were judged last."""
    found = store.setting(VERDICT)
    return Verdict(0) if found is None else Verdict(**found)


def judge(store: Store, now: float, anew: bool = False) -> Verdict:
    """Judge the models, if enough was said since the last time, or `anew`; what is found is kept."""
    wishes = wishes_of(store)
    pasts = gathered(store, wishes, now).pasts
    before = verdict(store)
    if not anew and before.simple is not None and len(pasts) < AGAIN * before.reads:
        return before
    found = judged(Taste.of([], pasts, wishes, now))
    store.set_setting(VERDICT, found.record())
    return found
