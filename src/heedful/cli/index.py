"""`heedful index`: add entries to a matcher's index, remove some, or search it; nothing is trained."""

from __future__ import annotations

import json as text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from heedful.cli.options import DEFAULTS, Json, use_threads

if TYPE_CHECKING:
    from heedful.tasks.match.changing import Change


Numbers = Annotated[tuple[int, ...], Parameter(negative="", show_default=False, consume_multiple=False)]


def group() -> App:
    """The three commands under one name."""
    app = App(name="index", help="Add entries to a matcher's index, remove some, or search it.", default_parameter=DEFAULTS, sort_key=99)
    for command in (add, remove, search):
        app.command(command)
    return app


def add(
    run: Path,
    /,
    *questions: str,
    label: str | None = None,
    answer: str | None = None,
    data: str | None = None,
    json: Json = False,
    threads: int | None = None,
) -> None:
    """Add questions of a class, new or known, to the index of a run; or every row of a table.

    Arguments:
        run: a folder that `heedful train match` wrote.
        questions: texts, each an entry of its own.
        label: the class they are all of; may be one that was never learnt.
        answer: the answer of that class, from now on.
        data: a table of questions and their classes or answers.
        json: an object instead of a line.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.tasks.match.changing import add_entries

    use_threads(threads)
    say(add_entries(run, list(questions), label, answer, data), json)


def remove(
    run: Path,
    /,
    *,
    number: Numbers = (),
    label: str | None = None,
    json: Json = False,
    threads: int | None = None,
) -> None:
    """Remove entries from the index of a run, by their numbers or by their class.

    Arguments:
        run: a folder that `heedful train match` wrote.
        number: of an entry, as `search` shows it; may be given several times.
        label: the class whose entries are all removed.
        json: an object instead of a line.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.tasks.match.changing import remove_entries

    use_threads(threads)
    say(remove_entries(run, list(number), label), json)


def search(run: Path, question: str, /, *, top: int = 5, json: Json = False, threads: int | None = None) -> None:
    """The classes a question meets in the index of a run, with the entry of each that met it best.

    Arguments:
        run: a folder that `heedful train match` wrote.
        question: a text.
        top: how many classes.
        json: an object instead of a table.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.tasks.match.changing import search_entries

    use_threads(threads)
    found = search_entries(run, question, top)
    if json:
        print(text.dumps(found, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    shown = Table("number", "class", "probability", "entry", pad_edge=False)
    for match in found["matches"]:
        shown.add_row(str(match["number"]), match["label"], f"{match['probability']:.1%}", match["entry"])
    console = Console()
    console.print(shown)
    if found["refused"]:
        console.print("nothing that is known is near enough: predict turns this question away", highlight=False)


def say(change: Change, json: bool) -> None:
    """What was changed."""
    if json:
        print(text.dumps(change._asdict(), ensure_ascii=False))
    else:
        numbers = f": numbers {change.numbers[0]} to {change.numbers[-1]}" if change.numbers else ""
        what = "entry" if len(change.numbers) == 1 else "entries"
        print(f"{len(change.numbers):,} {what} {change.done}{numbers}; {change.size:,} in the index")
