"""`heedful diet read`, `rate`, `note`, `highlight`: what the reader does with an item and says of it."""

from __future__ import annotations

import time

from heedful.cli.diet.where import Where, opened


def read(item: int, /, *, minutes: float = 0.0, begun: bool = False, store: Where = None) -> None:
    """Show an item's text, and keep that it was read.

    Arguments:
        item: its number, as `today` and `search` show it.
        minutes: that it took; your pace is learnt from them.
        begun: it was opened and not finished.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
    """
    from rich.console import Console
    from rich.text import Text

    from heedful.diet.day.saying import read as done

    with opened(store) as kept:
        one = kept.item(item)
        done(kept, item, time.time(), minutes, not begun)
        notes = kept.notes(item)
    console = Console(highlight=False)
    console.print(Text(one.title or one.address, style="bold"))
    if not one.address.startswith("urn:"):  # what has no address in the web has a name that says nothing to a reader
        console.print(Text(one.address, style="dim"))
    console.print()
    console.print(Text(one.text or one.summary or "(nothing but its address came with it)"))
    for note in notes:
        console.print(Text(f"\n{note.kind} {note.id}: {note.quote} {note.text}".rstrip(), style="italic"))


def rate(item: int, word: str, /, *, because: str = "", store: Where = None) -> None:
    """Say what an item was: worth, not-worth, later, save, more or less like it, or a number from 1 to 5.

    Arguments:
        item: its number, as `today` and `search` show it.
        word: worth, not-worth, later, save, more, less, or 1 to 5.
        because: of more and less: what of it, as topic, source, viewpoint or depth ("topic politics"), or "words bridge river".
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
    """
    from heedful.diet.day.saying import SAID, say

    with opened(store) as kept:
        said = say(kept, item, word, time.time(), because)
        title = kept.item(item).title
    what = f"{said.value:.0f} of 5" if said.kind == "rated" else SAID[said.kind] + (f" ({said.reason})" if said.reason else "")
    print(f"{title or item}: {what}")


def note(item: int, text: str, /, *, store: Where = None) -> None:
    """Keep a note with an item; it is found by `search` and goes into the digest.

    Arguments:
        item: its number.
        text: the note.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
    """
    from heedful.diet.day.noting import add_note

    with opened(store) as kept:
        print(f"note {add_note(kept, item, text, time.time()).id} on {kept.item(item).title or item}")


def highlight(item: int, quote: str, /, *, text: str = "", store: Where = None) -> None:
    """Mark words of an item's text, and say something of them.

    Arguments:
        item: its number.
        quote: the words, as they stand in the text.
        text: a note on them.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
    """
    from heedful.diet.day.noting import add_highlight

    with opened(store) as kept:
        print(f"highlight {add_highlight(kept, item, quote, text, time.time()).id} in {kept.item(item).title or item}")
