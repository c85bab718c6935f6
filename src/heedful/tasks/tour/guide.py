"""The voice of the tour in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

STOPS = 8


class Guide:
    """Says where the tour stands and what is to be seen there."""

    def __init__(self, console: Console, stops: int = STOPS) -> None:
        self.console, self.stops = console, stops
        self.stop = 0

    def arrive(self, title: str, words: str) -> None:
        """The next stop."""
        self.stop += 1
        self.console.print()
        self.console.print(Text(f"{self.stop}/{self.stops}  {title}", style="bold"))
        self.say(words)

    def say(self, words: str) -> None:
        """One thing more."""
        self.console.print(Text(words), soft_wrap=False)
