"""A bar on standard error for work whose steps are counted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def bar(word: str) -> Iterator[Callable[[int, int], None]]:
    """Within it, what is given takes (steps done, steps there are) and draws them; nothing is left behind.

    >>> with bar("profile") as told:
    ...     told(1, 2)
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn(word),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), refresh_per_second=2, expand=True, transient=True) as drawn:
        task = drawn.add_task(word, total=None)
        yield lambda done, total: drawn.update(task, completed=done, total=total)
