"""`heedful diet replay`: other policies on the reader's own log, or all of them on simulated readers."""

from __future__ import annotations

import json as text

from heedful.cli.diet.where import Where, opened
from heedful.cli.options import Flag, Json


def replay(
    *,
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
        simulate: the policies of the library on simulated readers instead; nothing of that is a result about people.
        readers: simulated.
        days: simulated.
        minutes: of a simulated day.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: an object instead of lines.
        seed: of draws and intervals.
    """
    from heedful.diet.replay import replay as replayed
    from heedful.diet.replay import simulate as simulated
    from heedful.errors import UsageError

    if simulate:
        report = simulated(readers=readers, days=days, minutes=minutes, seed=seed)
    else:
        from heedful.diet.day.log import decisions, policies

        with opened(store) as kept:
            log = decisions(kept)
        if len(log) == 1:
            raise UsageError("one edition was logged: two days and more would work, or --simulate")
        report = replayed(log, policies(), seed=seed)
    if json:
        print(text.dumps(report.json(), ensure_ascii=False))
    else:
        print("\n".join(report.lines()))
