"""Where the reader's store is, and lines that say what was done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

if TYPE_CHECKING:
    from heedful.diet.store.store import Store

HOME: Final = "~/.heedful/diet.sqlite"
Where = Annotated[str | None, Parameter(name="--store", negative="", show_default=False)]


@contextmanager
def opened(where: str | None, new: bool = False) -> Iterator[Store]:
    """The store at a path or address: the one given, that of $HEEDFUL_DIET, or the one at home.

    Raises `UsageError` where there is none and `new` does not ask for one.
    """
    from pathlib import Path

    from heedful.diet.store.store import open_store
    from heedful.errors import UsageError

    place = where or os.environ.get("HEEDFUL_DIET") or HOME
    if "://" not in place and not new and not Path(place).expanduser().exists():
        raise UsageError(f"{place}: there is no reader's store: heedful diet init makes one (--store or $HEEDFUL_DIET name another)")
    with open_store(place) as store:
        yield store
