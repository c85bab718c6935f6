"""`heedful diet init`: from nothing to the first edition in two minutes."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from heedful.cli.diet.where import HOME, Where, opened
from heedful.cli.options import Flag

if TYPE_CHECKING:
    from heedful.diet.day.wishes import Wishes
    from heedful.diet.store.store import Store

Sources = Annotated[list[str] | None, Parameter(name="--from", negative="", show_default=False, consume_multiple=False)]
Sets = Annotated[list[str] | None, Parameter(name="--set", negative="", show_default=False, consume_multiple=False)]


def init(
    *, from_: Sources = None, starter: Flag = False, set_: Sets = None, restore: Path | None = None, yes: Flag = False, store: Where = None
) -> None:
    """Begin: sources (an OPML list of another reader, or a starter list), five sliders, ten items rated. It asks; options answer before.

    Arguments:
        from_: an OPML file, an address or a folder to follow; may be given several times.
        starter: follow the dozen feeds of the starter list.
        set_: NAME=VALUE, as minutes=20 or curiosity=0.5; see heedful diet settings.
        restore: a file that heedful diet export wrote; everything comes from it.
        yes: ask nothing.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
    """
    from heedful.diet.day.setting import changed
    from heedful.diet.day.today import wishes_of
    from heedful.errors import UsageError

    asks = sys.stdin.isatty() and not yes
    with opened(store, new=True) as kept:
        if restore is not None:
            kept.import_(restore)
            print(f"{kept.where}: everything is back")
            return
        wishes = changed(kept, set_ or [])
        if asks and not set_:
            wishes = asked_sliders(kept, wishes)
        follow(kept, from_ or [], starter, asks)
        if not kept.sources():
            raise UsageError("nothing to follow yet: --from list.opml (or an address), or --starter, would work")
        if asks:
            rated(kept, wishes_of(kept))
        again = "" if kept.where == str(Path(HOME).expanduser()) or store is None else f" --store {kept.where}"
        print(f"{kept.where} is ready: heedful diet today{again}")


def follow(store: Store, places: list[str], starter: bool, asks: bool) -> None:
    """Sources: those named, those of the starter list, or those that the reader names when asked; all asked at once."""
    from heedful.cli.diet.sources import ask
    from heedful.diet.day.beginning import STARTER
    from heedful.diet.intake.recognise import recognised

    if asks and not places and not starter and not store.sources():
        said = input("An OPML file or the address of a feed (empty for a starter list of a dozen): ").strip()
        places, starter = ([said], False) if said else ([], True)
    found = [one for place in places for one in recognised(place)] + (list(STARTER) if starter else [])
    if found:
        ask(store, [store.add_source(one) for one in found], json=False)


def asked_sliders(store: Store, wishes: Wishes) -> Wishes:
    """The minutes and the five sliders, one question each; an empty answer leaves what there is."""
    from heedful.diet.day.setting import SAYS, changed
    from heedful.diet.day.wishes import SLIDERS
    from heedful.errors import HeedfulError

    for name in ("minutes", *SLIDERS):
        while said := input(f"{name}, {SAYS[name]} [{vars(wishes)[name]:g}]: ").strip():
            try:
                wishes = changed(store, [f"{name}={said}"])
                break
            except HeedfulError as error:
                print(error)
    return wishes


def rated(store: Store, wishes: Wishes) -> None:
    """Ten items, each worth it or not."""
    from heedful.diet.day.beginning import ten
    from heedful.diet.day.saying import say

    words = {"w": "worth", "n": "not-worth"}
    now = time.time()
    chosen = ten(store, replace(wishes), now)
    print("Ten items. Would they be worth your time? w worth, n not, Enter skips, q ends." if chosen else "No items came to be rated.")
    for place, item in enumerate(chosen, 1):
        said = input(f"{place}/{len(chosen)}  {item.title}: ").strip().lower()
        if said == "q":
            break
        if said in words:
            say(store, item.id, words[said], time.time())
