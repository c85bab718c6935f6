"""A run as it is served: the line before it, and the readings that the page looks at."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import final

from heedful.tasks.task import Answer, Asked, Explanation, Record, View
from heedful.web.gather import Gatherer, Late
from heedful.web.limits import Limits
from heedful.web.metrics import Metrics
from heedful.web.reading import Reading
from heedful.web.runs.run import OpenRun, Wanted
from heedful.web.store import Store

MEBIBYTE = 2**20


@final
class Station:
    """One run, by its name."""

    def __init__(self, name: str, run: OpenRun, limits: Limits, metrics: Metrics) -> None:
        self.name, self.run, self.limits, self.metrics = name, run, limits, metrics
        self.line = Gatherer(name, run.answers, limits, lambda size: metrics.batched(name, size))
        self.store = Store(limits.memory * MEBIBYTE)

    def about(self) -> Record:
        """What there is to know of it."""
        run = self.run
        doors = ["predict", "explain", *(["generate"] if run.goes_on else [])]
        return {"name": self.name, "task": run.task, "inputs": run.takes, "doors": doors, "facts": dict(run.facts())}

    async def predict(self, texts: Sequence[str], asked: Asked) -> list[Record]:
        """An answer for each text; continuations take turns with whatever else there is."""
        if not self.run.goes_on:
            return await self.line.ask(texts, asked)
        return [await self.continued(text, asked, i) for i, text in enumerate(texts)]

    async def continued(self, text: str, asked: Asked, number: int) -> Record:
        """A continuation, a token at a time."""
        answer = await self.open(text, Asked(asked.sampling, asked.ending, None if asked.seed is None else asked.seed + number))
        async for _ in self.pieces(answer):
            pass
        return await self.recorded(answer)

    async def open(self, text: str, asked: Asked) -> Answer:
        """A continuation that has not begun."""
        return await self.line.call(lambda: self.run.answer(text, asked))

    async def pieces(self, answer: Answer) -> AsyncIterator[str]:
        """Its pieces; each is a step of its own, so that others get their turns in between."""
        pieces = answer.pieces()
        ends = time.monotonic() + self.limits.timeout
        while (piece := await self.line.step(lambda: next(pieces, None))) is not None:
            yield piece
            if time.monotonic() > ends:
                raise Late(f"the text did not end within {self.limits.timeout:g} s: fewer tokens would work")

    async def recorded(self, answer: Answer) -> Record:
        """What is to be said of a continuation that has ended."""
        record = await self.line.step(answer.record)
        self.metrics.made(self.name, int(record.get("tokens", 0)))
        return record

    async def explain(self, text: str, asked: Asked, view: View) -> Explanation:
        """As the task explains it."""
        return await self.line.call(lambda: self.run.explain(text, asked, view))

    async def read(self, name: str) -> Reading:
        """A reading by its name, made again where it has been let go."""
        held = self.store.held(name)
        if held is None:
            wanted = self.store.wanted(name)
            held = await self.line.call(lambda: self.run.read(wanted))
            self.store.keep(name, held)
        return held

    async def look(self, wanted: Wanted) -> tuple[str, Reading]:
        """A reading, and what it is called from now on."""
        name = self.store.name(self.name, wanted)
        return name, await self.read(name)
