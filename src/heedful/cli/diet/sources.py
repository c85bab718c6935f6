"""`heedful diet add`, `sources`, `poll`: what comes in."""

from __future__ import annotations

import json as text
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from heedful.cli.diet.where import Where, opened
from heedful.cli.options import Flag, Json

if TYPE_CHECKING:
    from heedful.diet.store.rows import Source
    from heedful.diet.store.store import Store


def add(*where: str, topic: str = "", viewpoint: str = "", remove: int | None = None, store: Where = None, json: Json = False) -> None:
    """Follow sources: a feed or page by its address, an OPML list, a newsletter (.eml, .mbox), a folder of texts; and ask them at once.

    Arguments:
        where: addresses and paths.
        topic: what they are about; else what each item says of itself.
        viewpoint: from where they see things, as left, centre, right, or any word of yours.
        remove: follow this source, by its number, no longer; its items stay.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: one object a source.
    """
    from heedful.diet.intake.recognise import recognised
    from heedful.errors import UsageError

    if not where and remove is None:
        raise UsageError("nothing to add: the address of a feed or page, an OPML file, a newsletter or a folder would work")
    with opened(store) as kept:
        if remove is not None:
            kept.remove_source(remove)
            if not json:
                print(f"source {remove} is followed no longer")
        found = [one for place in where for one in recognised(place)]
        followed = [kept.add_source(replace(one, topic=topic or one.topic, viewpoint=viewpoint or one.viewpoint)) for one in found]
        ask(kept, followed, json)


def poll(*, everything: Flag = False, store: Where = None, json: Json = False) -> None:
    """Ask the sources that are due for what is new, politely; and let the two models be judged on what was said since.

    Arguments:
        everything: ask all sources, due or not.
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: one object a source.
    """
    from heedful.diet.day.serving import judge
    from heedful.diet.intake.poll import due

    with opened(store) as kept:
        every = kept.sources(paused=False)
        asked = every if everything else due(kept, time.time())
        if every and not asked and not json:
            first = time.strftime("%H:%M", time.localtime(min(one.due for one in every)))
            print(f"no source is due before {first}, so that none is asked too often: --everything asks all of them")
        else:
            ask(kept, asked, json)
        judge(kept, time.time())


def sources(*, store: Where = None, json: Json = False) -> None:
    """The sources that are followed, and how the last asking went.

    Arguments:
        store: path or postgresql:// address; $HEEDFUL_DIET, or ~/.heedful/diet.sqlite, if not given.
        json: one object a line.
    """
    with opened(store) as kept:
        found = kept.sources()
    if json:
        for one in found:
            print(text.dumps(vars(one), ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("source", "", "kind", "topic", "viewpoint", "", pad_edge=False)
    for one in found:
        table.add_row(str(one.id), f"{one.title}\n{one.address}".strip(), one.kind, one.topic, one.viewpoint, one.error)
    Console().print(table if found else "no source yet: heedful diet add ADDRESS follows one")


def ask(store: Store, asked: list[Source], json: bool) -> None:
    """Ask sources, say what came of each, and of all."""
    from heedful.cli.bar import bar
    from heedful.diet.intake.poll import poll as polled

    came: list[dict[str, Any]] = []
    with bar("sources") as told:
        for done, one in enumerate(polled(store, time.time(), asked), 1):
            told(done, len(asked))
            came.append({"source": one.source.id, "title": one.source.title, "new": one.new, "changed": one.changed, "error": one.error})
            if json:
                print(text.dumps(came[-1], ensure_ascii=False), flush=True)
    if json:
        return
    for row in came:
        if row["error"]:
            print(f"{row['title'] or row['source']}: {row['error']}")
    new, wrong = sum(row["new"] for row in came), sum(bool(row["error"]) for row in came)
    both = f"{len(came):,} source{'s' * (len(came) != 1)} asked, {new:,} new item{'s' * (new != 1)}"
    print(both + (f"; {wrong:,} did not answer as they should" if wrong else ""))
