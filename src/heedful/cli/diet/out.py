"""`heedful diet search`, `digest`, `share`, `label`, `export`, `erase`: what the reader takes out again."""

from __future__ import annotations

import json as text
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from heedful.cli.diet.where import Where, opened
from heedful.cli.options import Flag, Json

if TYPE_CHECKING:
    from heedful.diet.label.label import Label

MANY: Final = {"source": "sources", "item": "items", "edition": "editions", "note": "notes", "setting": "settings"}  # of the store's tables


def search(*words: str, top: int = 20, store: Where = None, json: Json = False) -> None:
    """Find items by their words and notes; each says whether the newest edition has it, and why not.

    Arguments:
        words: all of them; "side by side" in quotes, and -without.
        top: how many at most.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: one object a line instead of a table.
    """
    with opened(store) as kept:
        hits = kept.search(" ".join(words), limit=top)
    if json:
        for hit in hits:
            shown = {"item": hit.item.id, "title": hit.item.title, "address": hit.item.address, "snippet": hit.snippet, "spans": hit.spans}
            print(text.dumps(shown | {"rank": hit.rank, "edition": hit.edition, "reason": hit.reason}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("item", "", "in the edition?", pad_edge=False)
    for hit in hits:
        said = Text(f"{hit.item.title or hit.item.address}\n", style="bold")
        said.append(plain := Text(hit.snippet, style="not bold"))
        for start, end in hit.spans:
            said.stylize("reverse", len(said) - len(plain) + start, len(said) - len(plain) + end)
        table.add_row(str(hit.item.id), said, hit.reason or ("yes" if hit.edition else ""))
    Console().print(table if hits else "nothing has all of these words")


def digest(*, days: int = 7, out: Path | None = None, store: Where = None) -> None:
    """The last week in Markdown: what was worth it, highlights, notes, and what the minutes went to.

    Arguments:
        days: how many.
        out: write it here instead of standard output.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
    """
    from heedful.diet.export.digest import digest as written

    with opened(store) as kept:
        put(written(kept, time.time(), days), out)


def share(kind: str = "saved", /, *, form: str = "rss", out: Path | None = None, store: Where = None) -> None:
    """A reading list for others: what was saved, worth it, or read, or the edition; or the sources themselves.

    Arguments:
        kind: saved, worth, read, edition, or sources.
        form: rss or json (JSON Feed); sources are always OPML.
        out: write it here instead of standard output.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
    """
    from heedful.diet.export.shared import shared

    with opened(store) as kept:
        put(shared(kept, kind, form, time.time()), out)


def label(period: str = "day", /, *, out: Path | None = None, store: Where = None, json: Json = False) -> None:
    """What the minutes of a day, week or month went to, against your own targets; as a table, or a picture.

    Arguments:
        period: day, week or month, up to today.
        out: a picture to write, .svg or .png.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: an object instead of a table.
    """
    from heedful.diet.label.label import label as made
    from heedful.diet.label.picture import save

    with opened(store) as kept:
        found = made(kept, period, time.time())
    if out is not None:
        save(found, out)
    if json:
        print(text.dumps(found.record(), ensure_ascii=False))
    else:
        show(found)
    if out is not None:
        print(out, file=sys.stderr if json else sys.stdout)


def export(path: Path, /, *, store: Where = None, json: Json = False) -> None:
    """Write everything to a file of JSON lines that `heedful diet init --restore` reads.

    Arguments:
        path: the file.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: the counts as an object.
    """
    with opened(store) as kept:
        counts = kept.export(path)
    told(counts, f"{path}: ", json)


def erase(
    *,
    everything: Flag = False,
    older: int | None = None,
    source: int | None = None,
    untouched: Flag = False,
    yes: Flag = False,
    store: Where = None,
    json: Json = False,
) -> None:
    """Erase for good: everything, what is older than so many days, or a source with its items.

    Arguments:
        everything: all of it, settings too.
        older: days; editions, feedback and notes of before then go too.
        source: its number, as `heedful diet sources` shows it.
        untouched: with --older: only items that nothing was said of and that no edition showed.
        yes: do it; without it nothing is erased.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: the counts as an object.
    """
    from heedful.diet.store.carry import Erase
    from heedful.errors import UsageError

    if older is not None and older < 0:
        raise UsageError(f"--older is {older}: 0 days or more would work")
    what = Erase(everything, None if older is None else time.time() - 86_400 * older, source, untouched)
    if not yes:
        raise UsageError("what is erased cannot be had back: --yes erases it (heedful diet export keeps a copy first)")
    with opened(store) as kept:
        counts = kept.erase(what)
    told(counts, "erased ", json)


def told(counts: dict[str, int], before: str, json: bool) -> None:
    """How many rows of each kind."""
    if json:
        print(text.dumps(counts))
    else:
        each = [f"{count:,} {MANY.get(name, name) if count > 1 else name}" for name, count in counts.items() if count]
        print(before + (", ".join(each) or "nothing"))


def put(written: str, out: Path | None) -> None:
    """To a file, or to standard output."""
    from heedful import atomic

    if out is None:
        print(written, end="")
    else:
        atomic.write(out, written)
        print(out)


def show(found: Label) -> None:
    """The label as a table."""
    from rich.console import Console
    from rich.table import Table

    from heedful.diet.label.picture import summary, title

    console = Console(highlight=False)
    table = Table("", "minutes", "share", "target", title=title(found), title_justify="left", pad_edge=False)
    for facet, groups in found.by.items():
        table.add_section()
        table.add_row(f"[bold]{facet}[/bold]")
        for name, minutes in groups.items():
            target = found.targets.get(name) if facet == "topic" else None
            table.add_row(name, f"{minutes:.1f}", f"{minutes / found.spent:.0%}", "" if target is None else f"{target:.0%}")
    console.print(table)
    for line in summary(found):
        console.print(line)
