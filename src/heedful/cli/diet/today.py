"""`heedful diet today` and `why`: the day's edition, and why an item is in it or not."""

from __future__ import annotations

import json as text
import time
from typing import TYPE_CHECKING, Any

from heedful.cli.diet.where import Where, opened
from heedful.cli.options import Flag, Json

if TYPE_CHECKING:
    from heedful.diet.day.today import Today


def today(*, minutes: float | None = None, again: Flag = False, store: Where = None, json: Json = False, seed: int = 0) -> None:
    """The edition of the day: finite, within the minutes, with a reason for each item. It is made once; asked again it is the same.

    Arguments:
        minutes: of this edition; those of the settings if not given.
        again: make it anew, although there is one.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: an object instead of a table.
        seed: of the draw that explores.
    """
    from heedful.diet.day.serving import serving
    from heedful.diet.day.today import make, morning, of_edition
    from heedful.diet.day.today import today as made_today

    with opened(store) as kept:
        now = time.time()
        found = made_today(kept, now)
        if found is None or again or (minutes is not None and found.made.minutes != minutes):
            found = of_edition(kept, make(kept, morning(kept, now, minutes, seed, serving(kept))))
        if json:
            print(text.dumps(found.record(), ensure_ascii=False))
        else:
            show(found)


def show(found: Today) -> None:
    """The edition as a table, and what is left."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not found.entries and not found.left:
        console.print("Nothing unread is here: heedful diet poll asks your sources, heedful diet add follows more.", highlight=False)
        return
    shown = Table("item", "min", "", "because", pad_edge=False, show_lines=False)
    for one in found.entries:
        said = Text(one.item.title or one.item.address, style="dim" if one.done else "bold")
        story = f", and {len(one.others)} more on it" if one.others else ""
        said.append(f"\n{one.source}{story}", style="dim")
        shown.add_row(str(one.item.id), f"{one.shown.minutes:.1f}", said, str(one.shown.reason.get("because", "")))
    console.print(shown)
    left = found.made.minutes - found.minutes
    console.print(
        f"{found.made.day}: {found.minutes:.1f} of {found.made.minutes:g} minutes ({found.made.policy}). "
        + (f"{left:.0f} are yours: nothing else was worth them. " if left >= 2 else "")
        + f"{found.left:,} item{' was' if found.left == 1 else 's were'} left out, each with its reason: heedful diet why ITEM.",
        highlight=False,
    )
    for floor in found.made.diet.get("unmet", []):
        console.print(f"No items for what was wanted of {floor}.", highlight=False)


def why(item: int, /, *, store: Where = None, json: Json = False) -> None:
    """Why an item is in the edition of the day, or is not: its score part by part, what it leans on, what would change it.

    Arguments:
        item: its number, as `today` and `search` show it.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: an object instead of a table.
    """
    from heedful.diet.day.asking import why as asked

    with opened(store) as kept:
        found = asked(kept, item, time.time())
    if json:
        print(text.dumps(found, ensure_ascii=False))
    else:
        tell(found)


def tell(found: dict[str, Any]) -> None:
    """The reason in words and figures."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    console.print(f"{found['title']}: {found['verdict']}")
    if found["parts"]:
        shown = Table("part", "minutes' worth", pad_edge=False)
        for part in found["parts"]:
            shown.add_row(part["says"], f"{part['value']:+.2f}")
        shown.add_row("together", f"{found['score']:+.2f}")
        console.print(shown)
    for lean in found["leans"]:
        less = "less" if lean["change"] > 0 else "more"
        console.print(f"without “{lean['title']}” ({lean['said']}) a minute of it would be worth {abs(lean['change']):.3f} {less}")
    for line in found["otherwise"]:
        console.print(line)
