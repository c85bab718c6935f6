"""Readings that the page may come back to: the latest ones with their weights, and how to make the others again."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import replace
from typing import Final

from heedful.errors import UsageError
from heedful.web.reading import Reading
from heedful.web.runs.run import Wanted

REMEMBERED: Final = 2_000  # requests, a few hundred bytes each


class Store:
    """At most `most` bytes of weights, and as many of files; the one that was looked at longest ago goes first.

    >>> from heedful.web.runs.run import Wanted
    >>> store = Store(1_000)
    >>> name = store.name("mine", Wanted("a text"))
    >>> store.wanted(name).text, store.held(name)
    ('a text', None)
    """

    def __init__(self, most: int) -> None:
        self.most, self.bytes, self.brought = most, 0, 0
        self.readings: OrderedDict[str, Reading] = OrderedDict()
        self.asked: OrderedDict[str, Wanted] = OrderedDict()

    def name(self, run: str, wanted: Wanted) -> str:
        """What a reading is called: the same request has the same name."""
        told = json.dumps([run, repr(replace(wanted, file=None)), "" if wanted.file is None else wanted.file.name])
        digest = hashlib.sha256(told.encode("utf-8", "backslashreplace"))
        digest.update(b"" if wanted.file is None else wanted.file.content)
        name = digest.hexdigest()[:16]
        self.brought += 0 if name in self.asked else size(wanted)
        self.asked[name] = wanted
        self.asked.move_to_end(name)
        while len(self.asked) > REMEMBERED or (self.brought > self.most and len(self.asked) > 1):
            self.brought -= size(self.asked.popitem(last=False)[1])
        return name

    def wanted(self, name: str) -> Wanted:
        """What was asked under this name; `UsageError` for none."""
        if name not in self.asked:
            raise UsageError(f"there is no reading {name[:16]!r} any more: asking again would work")
        return self.asked[name]

    def held(self, name: str) -> Reading | None:
        """The reading, if its weights are still there."""
        if name in self.readings:
            self.readings.move_to_end(name)
        return self.readings.get(name)

    def keep(self, name: str, reading: Reading) -> None:
        """Keep a reading, and let go of others until all of them fit; the newest always stays."""
        if name in self.readings:
            self.bytes -= self.readings.pop(name).bytes
        self.readings[name] = reading
        self.bytes += reading.bytes
        while self.bytes > self.most and len(self.readings) > 1:
            self.bytes -= self.readings.popitem(last=False)[1].bytes


def size(wanted: Wanted) -> int:
    """Bytes of the file that was brought, if one was."""
    return 0 if wanted.file is None else len(wanted.file.content)
