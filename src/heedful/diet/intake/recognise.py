"""What somebody names, as sources: an address of a feed or page, a list in OPML, a newsletter file, a folder of texts."""

from __future__ import annotations

from pathlib import Path

from heedful.diet.intake import opml
from heedful.diet.intake.addresses import canonical
from heedful.diet.intake.feeds import parse
from heedful.diet.intake.fetch import Limits, fetch
from heedful.diet.intake.newsletter import ENDINGS as LETTERS
from heedful.diet.intake.newsletter import letters
from heedful.diet.intake.page import linked
from heedful.diet.intake.poll import understood
from heedful.diet.store.rows import Source
from heedful.errors import DataError


def recognised(where: str, limits: Limits | None = None) -> list[Source]:
    """The sources behind a path or an address, looked at; a page that names feeds stands for the first of these.

    Raises `DataError` for what is none.
    """
    path = Path(where).expanduser()
    if path.exists():
        return local(path.resolve())
    if "://" not in where and ("." not in where or where.startswith((".", "/", "~"))):
        raise DataError(f"{where}: not found: a feed, a page, an OPML file, a newsletter (.eml, .mbox) or a folder would work")
    return [remote(canonical(where if "://" in where else f"https://{where}"), limits or Limits())]


def local(path: Path) -> list[Source]:
    """The sources behind a path."""
    if path.is_dir():
        mail = any(one.suffix.lower() in LETTERS for one in path.iterdir())
        return [Source(address=str(path), title=path.name, kind="newsletter" if mail else "folder")]
    if path.suffix.lower() in (".opml", ".xml"):
        return opml.read(path.read_bytes(), str(path))
    if path.suffix.lower() in LETTERS:
        return [Source(address=str(path), title=letters(path).title or path.stem, kind="newsletter")]
    return [Source(address=str(path), title=path.stem, kind="folder")]


def remote(address: str, limits: Limits) -> Source:
    """The source at an address."""
    answer = fetch(Source(address=address), limits)
    if answer.status != 200:
        raise DataError(f"{address}: answered {answer.status}: an address that can be opened would work")
    try:
        found = parse(answer.document, address, answer.content_type)
        return Source(address=address, title=found.title)
    except DataError:
        feeds = linked(answer.document, answer.address, answer.content_type)
    if feeds:
        return Source(address=feeds[0])
    page = Source(address=address, kind="page")
    return Source(address=address, title=understood(page, answer).title, kind="page")
