"""Ends a text before a stop string would appear, while the text is still coming in pieces."""

from __future__ import annotations

from collections.abc import Sequence


class Stopper:
    """Holds back what could be the beginning of a stop string; the one that is whole first ends the text.

    >>> stopper = Stopper(["END"])
    >>> [stopper.push("the E"), stopper.push("Nd"), stopper.push(" EN"), stopper.push("D!"), stopper.stopped]
    ['the ', 'ENd', ' ', '', True]
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self.stops = tuple(stops)
        self.held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """The part of what has come so far that may be shown now."""
        if self.stopped:
            return ""
        whole = self.held + text
        found = [(place + len(stop), place) for stop in self.stops if (place := whole.find(stop)) >= 0]
        if found:
            self.stopped, self.held = True, ""
            return whole[: min(found)[1]]
        kept = max((overlap(whole, stop) for stop in self.stops), default=0)
        self.held = whole[len(whole) - kept :]
        return whole[: len(whole) - kept]

    def close(self) -> str:
        """What was held back and did not become a stop string."""
        rest, self.held = self.held, ""
        return rest


def overlap(text: str, stop: str) -> int:
    """How many characters at the end of `text` begin `stop`."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
