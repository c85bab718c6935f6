"""A profile as a person reads it: which head does what, the least it can do with, and what each option loses and costs."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from heedful.manage.options.option import Option
from heedful.manage.profile import Profile
from heedful.manage.roles import Role, role, share

if TYPE_CHECKING:
    from rich.table import Table

TOLERANCE = 0.01  # nats a token, about one per cent of perplexity, to be shared by all heads alike
ACROSS = 8  # heads beside each other in the grid
DECIDES = "fisher"


class Head(NamedTuple):
    """One head: where it is, what it does, the least option that loses no more than its share, and all losses."""

    site: int
    head: int
    role: Role
    least: str
    losses: dict[str, dict[str, float]]


def portrait(profile: Profile) -> list[Head]:
    """Every head of a profile."""
    return [head_of(profile, row) for row in range(len(profile.heads))]


def head_of(profile: Profile, row: int) -> Head:
    """One row of a profile."""
    found = {name: float(table[row]) for name, table in profile.patterns.items() if table.ndim == 1}
    losses = {name: dict(zip(profile.options, table[row].tolist(), strict=True)) for name, table in profile.losses.items()}
    return Head(*profile.heads[row], role(found), least(profile, row), losses)


def least(profile: Profile, row: int) -> str:
    """The cheapest option that loses no more than an equal share of the tolerance."""
    allowed = TOLERANCE / len(profile.heads)
    losses = profile.losses[DECIDES][row]
    fine = [column for column in range(len(losses)) if losses[column] <= allowed and profile.offered[row, column]]
    return profile.options[min(fine, key=lambda column: (cost(profile, column), losses[column]), default=0)]


def cost(profile: Profile, column: int) -> int:
    """What an option takes of a head: pairs in a pass, kept keys in steps."""
    option: Option = profile.parsed[column]
    causal = all(site.causal for site in profile.sites)
    return option.attended(profile.length, causal) if profile.phase == "prefill" else option.kept(profile.length)


def records(profile: Profile) -> list[dict[str, Any]]:
    """Every head as plain data."""
    names = {site.index: site.name for site in profile.sites}
    return [
        {"layer": names[head.site], "site": head.site, "head": head.head, "role": head.role.name, "evidence": head.role.evidence}
        | {"least": head.least, "losses": head.losses}
        for head in portrait(profile)
    ]


def text(profile: Profile, width: int = 120) -> str:
    """The grid and the options as text."""
    from rich.console import Console

    console = Console(file=StringIO(), width=width, color_system=None)
    for shown in (grid(profile), options(profile)):
        console.print(shown)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def grid(profile: Profile) -> Table:
    """A row a layer (or more, where it has many heads), a cell a head: its role, and the least it can do with."""
    from rich.box import SIMPLE
    from rich.table import Table

    across = min(ACROSS, max(site.heads for site in profile.sites))
    shown = Table("", *(f"head {i}" for i in range(across)), box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0), show_lines=True)
    shown.title, shown.title_justify = "a row a layer: what each head looks at, and the share of its weight that says so", "left"
    share_of = TOLERANCE / len(profile.heads)
    shown.caption = f"under it, the least option that loses no more than {share_of:.1e} nats a token ({legend(profile)})"
    shown.caption_justify = "left"
    heads = portrait(profile)
    for site in profile.sites:
        mine = [head for head in heads if head.site == site.index]
        for start in range(0, len(mine), across):
            cells = [
                f"{head.role.name.removesuffix(' token')}\n{share(evidence(profile, head))}\n{short(head.least)}"
                for head in mine[start:][:across]
            ]
            shown.add_row(f"{site.index}" if start == 0 else f"+{start}", *cells)
    return shown


SHORT = {"window": "w", "blocks": "b", "streaming": "s", "keynorm": "n", "h2o": "h", "snapkv": "k", "full": "full", "drop": "drop"}


def short(option: str) -> str:
    """An option in a few letters.

    >>> short("window(256,4)"), short("drop")
    ('w256', 'drop')
    """
    word, _, numbers = option.rstrip(")").partition("(")
    return f"{SHORT[word]}{numbers.split(',')[0]}"


def legend(profile: Profile) -> str:
    """What the letters mean."""
    words = dict.fromkeys(option.word for option in profile.parsed if len(SHORT[option.word]) == 1)
    return ", ".join(f"{SHORT[word]}: {word}" for word in words)


def evidence(profile: Profile, head: Head) -> float:
    """The number that a role rests on, between 0 and 1."""
    row = profile.row(head.site, head.head)
    named = {"previous token": "previous", "own token": "self", "next token": "next", "last token": "last", "first token": "first"}
    name = named.get(head.role.name, head.role.name)
    if name == "even":
        return float(profile.patterns["entropy"][row] / profile.patterns["uniform"][row])
    return float(profile.patterns[name if name in profile.patterns else "near"][row])


def options(profile: Profile) -> Table:
    """A row an option: what it takes of a head, and its losses over the heads."""
    from rich.table import Table

    unit = "pairs" if profile.phase == "prefill" else "keys kept"
    shown = Table("option", f"{unit} at {profile.length:,}", "ms, a head", "loss: median head", "greatest", "all heads", pad_edge=False)
    for each in shown.columns[1:]:
        each.justify = "right"
    table = profile.losses[DECIDES]
    for column, name in enumerate(profile.options):
        rows = table[profile.offered[:, column], column]
        losses = (np.median(rows), rows.max(), rows.sum()) if len(rows) else (0.0, 0.0, 0.0)
        shown.add_row(name, f"{cost(profile, column):,}", milliseconds(profile, name), *(f"{loss:.2e}" for loss in losses))
    shown.caption, shown.caption_justify = f"nats a token by {DECIDES}, over {profile.tokens:,} tokens", "left"
    return shown


def milliseconds(profile: Profile, option: str) -> str:
    """What one more head with the option takes, as measured, at the first kind of site."""
    rows = [row for row in profile.costs.get("prices", ()) if row["option"] == option]
    return f"{rows[0]['head']:.3f}" if rows else "-"
