"""What a backend is: whether it can serve a call, and the serving."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from heedful.attention.call import Call, Result


class Backend(NamedTuple):
    """One row of the dispatch table.

    `why_not(call)` gives the reason why it cannot serve exactly what was asked, or None; `run(call)` serves it.
    """

    name: str
    why_not: Callable[[Call], str | None]
    run: Callable[[Call], Result]
    about: str
