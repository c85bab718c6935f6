"""`heedful diet replay`: other policies on the reader's own log, or all of them on simulated readers."""

from __future__ import annotations

import json as text
from typing import Annotated

from cyclopts import Parameter

from heedful.cli.diet.where import Where, opened
from heedful.cli.options import Flag, Json

Estimators = Annotated[list[str] | None, Parameter(name="--estimator", negative="", show_default=False, consume_multiple=False)]


def replay(
    *,
    estimator: Estimators = None,
    simulate: Flag = False,
    readers: int = 100,
    days: int = 30,
    minutes: float = 30.0,
    store: Where = None,
    json: Json = False,
    seed: int = 0,
) -> None:
    """What other policies would have earned you, by your own log (with 95 % intervals, or refused where it holds too little).

    Arguments:
        estimator: ipw, snipw, dm, dr, switch-dr, and of lists iips, rips, cascade-dr; may be given several times. All but ipw, dm and
            switch-dr if not given.
        simulate: the policies of the library on simulated readers instead; nothing of that is a result about people.
        readers: simulated.
        days: simulated.
        minutes: of a simulated day.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: an object instead of lines.
        seed: of draws and intervals.
    """
    from heedful.diet.policy.evaluate import NAMES
    from heedful.diet.replay import USUAL
    from heedful.diet.replay import replay as replayed
    from heedful.diet.replay import simulate as simulated
    from heedful.errors import UsageError, unknown

    for one in estimator or ():
        if one not in NAMES:
            raise unknown("estimator", one, NAMES)
    if simulate and estimator:
        raise UsageError("--estimator is for a log, and simulated readers say what they got: --simulate without it would work")
    if simulate:
        report = simulated(readers=readers, days=days, minutes=minutes, seed=seed)
    else:
        from heedful.diet.day.log import decisions, policies

        with opened(store) as kept:
            log = decisions(kept)
        if len(log) == 1:
            raise UsageError("one edition was logged: two days and more would work, or --simulate")
        report = replayed(log, policies(), estimators=estimator or USUAL, seed=seed)
    if json:
        print(text.dumps(report.json(), ensure_ascii=False))
    else:
        print("\n".join(report.lines()))
