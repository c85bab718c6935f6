"""One line on standard error that says what is being done, for work whose steps have names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def told() -> Iterator[Callable[[str], None]]:
    """Within it, what is given takes words and shows them beside a sign that turns; nothing is left behind.

    >>> with told() as tell:
    ...     tell("measuring")
    """
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield status.update
