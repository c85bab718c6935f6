"""Ctrl-C and a polite kill: finish the step, save, and say how to go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """Training was stopped by a signal after its state was saved; the message says how to go on."""


class Stop:
    """Whether a signal has asked to stop; the second one does not wait."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Take the signal."""
        if self.asked:
            raise KeyboardInterrupt("stopped at once; the last checkpoint is whole, and --resume goes on from it")
        self.asked = True


@contextmanager
def stoppable() -> Iterator[Stop]:
    """While inside, signals only ask; outside the main thread they cannot be taken, and nothing changes."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, stop.ask) for number in SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
