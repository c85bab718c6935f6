"""The commands of `heedful diet` under one name."""

from __future__ import annotations

from collections.abc import Callable

from cyclopts import App

from heedful.cli.diet.out import digest, erase, export, label, search, share
from heedful.cli.diet.replay import replay
from heedful.cli.diet.say import highlight, note, rate, read
from heedful.cli.diet.serve import serve
from heedful.cli.diet.settings import judge, settings
from heedful.cli.diet.sources import add, poll, sources
from heedful.cli.diet.start import init
from heedful.cli.diet.today import today, why
from heedful.cli.options import DEFAULTS

HELP = "A person's minutes, spent well: take feeds in, make a finite edition, say why, and show what the day was made of."
COMMANDS: tuple[Callable[..., None], ...] = (
    init,
    add,
    sources,
    poll,
    today,
    why,
    read,
    rate,
    note,
    highlight,
    search,
    label,
    digest,
    share,
    settings,
    judge,
    replay,
    serve,
    export,
    erase,
)


def group() -> App:
    """All of them."""
    app = App(name="diet", help=HELP, default_parameter=DEFAULTS, sort_key=100)
    for order, command in enumerate(COMMANDS):
        app.command(command, sort_key=order)
    return app
