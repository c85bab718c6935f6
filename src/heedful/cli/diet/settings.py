"""`heedful diet settings`: what the reader wants, shown and changed."""

from __future__ import annotations

import json as text
from typing import Annotated

from cyclopts import Parameter

from heedful.cli.diet.where import Where, opened
from heedful.cli.options import Json

Sets = Annotated[list[str] | None, Parameter(name="--set", negative="", show_default=False, consume_multiple=False)]


def settings(*, set_: Sets = None, store: Where = None, json: Json = False) -> None:
    """Show the settings: minutes, the five sliders, what a minute is worth elsewhere, targets, and the weights of the reward.

    Arguments:
        set_: NAME=VALUE changes one, as minutes=20, curiosity=0.5, targets.science=0.4 or reward.opened=0; may be given several times.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: an object instead of lines.
    """
    from heedful.diet.day.setting import changed, flat
    from heedful.diet.day.today import wishes_of

    with opened(store) as kept:
        found = changed(kept, set_) if set_ else wishes_of(kept)
    if json:
        print(text.dumps(found.record(), ensure_ascii=False))
        return
    for name, value, says in flat(found):
        print(f"{name:<16} {value:<6g} {says}".rstrip())


def judge(*, store: Where = None, json: Json = False) -> None:
    """Judge the two models now, on the last fifth of what was said; the simple one serves until attention beats it.

    Arguments:
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: an object instead of a line.
    """
    import time

    from heedful.diet.day.serving import judge as judged

    with opened(store) as kept:
        found = judged(kept, time.time(), anew=True)
    print(text.dumps(found.record() | {"state": None}) if json else found.says)
