"""The progress of training in the terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

REDRAWS_A_SECOND = 2


class Report(Protocol):
    """Where training says how it goes; also a context, for what must be put away at the end."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""

    def begin(self, step: int, total: int) -> None:
        """Training stands at `step` of `total`."""

    def trained(self, step: int, loss: float, tokens_per_second: float) -> None:
        """The mean loss since the last time, and the pace."""

    def validated(self, step: int, loss: float, best: bool) -> None:
        """The loss over the whole validation part."""


class Silent:
    """Says nothing."""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End."""

    def begin(self, step: int, total: int) -> None:
        """Say nothing."""

    def trained(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Say nothing."""

    def validated(self, step: int, loss: float, best: bool) -> None:
        """Say nothing."""


class Bar:
    """A bar with the loss, tokens (or what `unit` says) a second and the time left; validation losses stay as lines above it."""

    def __init__(self, console: Console | None = None, unit: str = "tokens") -> None:
        self.console, self.unit = console or Console(stderr=True), unit
        columns = (
            TextColumn("train"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self.progress = Progress(*columns, console=self.console, refresh_per_second=REDRAWS_A_SECOND, expand=True)
        self.task = self.progress.add_task("train", total=None, start=False, pace="")

    def __enter__(self) -> Self:
        """Begin to draw."""
        self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop drawing."""
        self.progress.stop()

    def begin(self, step: int, total: int) -> None:
        """Start the clock at `step` of `total`."""
        self.progress.update(self.task, total=total, completed=step)
        self.progress.start_task(self.task)

    def trained(self, step: int, loss: float, tokens_per_second: float) -> None:
        """Move the bar."""
        pace = f"loss {loss:.4f}  {tokens_per_second:,.0f} {self.unit}/s"
        self.progress.update(self.task, completed=step, pace=pace)

    def validated(self, step: int, loss: float, best: bool) -> None:
        """A line above the bar."""
        self.progress.update(self.task, completed=step)
        self.console.print(f"step {step:,}: validation loss {loss:.4f}{' (best so far)' if best else ''}", highlight=False)
