"""A folder of texts (.txt, .md, .html) as a source: a file an item."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from heedful.diet.intake.channel import Channel, Entry, language
from heedful.diet.intake.markup import line, plain, tidy
from heedful.diet.intake.page import Links, decoded
from heedful.errors import DataError

ENDINGS: Final = (".txt", ".md", ".markdown", ".html", ".htm")
LARGEST: Final = 10_000_000  # bytes of a file
MOST: Final = 20_000  # files
FRONT: Final = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
NAMED: Final = re.compile(r"^title:\s*[\"']?(.+?)[\"']?\s*$", re.M)
HEADING: Final = re.compile(r"\A\s*#{1,3}\s+(.+?)\s*#*\s*$", re.M)


def texts(path: Path) -> Channel:
    """The texts below a folder, hidden ones left out; or one text.

    Raises `DataError` where there is none.
    """
    if not path.exists():
        raise DataError(f"{path}: not found: a folder of texts ({', '.join(ENDINGS)}) would work")
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    base = path.parent if path.is_file() else path
    shown = [
        one for one in files if one.suffix.lower() in ENDINGS and not any(part.startswith(".") for part in one.relative_to(base).parts)
    ]
    if not shown:
        raise DataError(f"{path}: no text in it: a folder of texts ({', '.join(ENDINGS)}) would work")
    try:
        entries = (entry(one, one.relative_to(base)) for one in shown[:MOST] if one.stat().st_size <= LARGEST)
        return Channel(title=path.stem, entries=tuple(one for one in entries if one.text))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}: files that may be read would work") from error


def entry(file: Path, name: Path) -> Entry:
    """A file as an entry, known by its place in the folder."""
    written = decoded(file.read_bytes())
    if file.suffix.lower() in (".html", ".htm"):
        title, said, text = web(written)
    else:
        title, text = titled(written)
        said = ""
    return Entry(
        key=name.as_posix(),
        title=line(title) or name.stem.replace("_", " ").replace("-", " "),
        text=text,
        summary=text[:400],
        published=file.stat().st_mtime,
        language=language(said, text),
    )


def web(written: str) -> tuple[str, str, str]:
    """Title, language and text of HTML."""
    head = Links()
    head.feed(written[:200_000])
    return head.title, head.language, plain(written)


def titled(written: str) -> tuple[str, str]:
    """Title and text of Markdown: the title of its front matter, else its first heading, which is then no part of the text."""
    front, body = FRONT.match(written), FRONT.sub("", written)
    named = NAMED.search(front[1]) if front else None
    heading = None if named else HEADING.match(body)
    title = named[1] if named else heading[1] if heading else ""
    return title, tidy(body[heading.end() :] if heading else body) or title
