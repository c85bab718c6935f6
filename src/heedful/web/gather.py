"""Inputs of one run gathered for a few milliseconds and answered together, on the one thread that uses its model.

Whatever uses the model waits in the same line: batches of inputs, steps of continuations, readings. A line that is full is an
answer in itself (429), and so is a wait that has become too long (504): nothing is taken on that nobody will wait for.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar, final

from heedful.errors import HeedfulError
from heedful.tasks.task import Asked, Record
from heedful.web.limits import Limits

T = TypeVar("T")
Answers = Callable[[Sequence[str], Asked], list[Record | HeedfulError]]
SLOW: Final = 0.2  # how much the newest job tells of the next one's seconds


class Busy(HeedfulError):
    """More waits for a run than may: how many seconds until it would not."""

    def __init__(self, run: str, waiting: int, after: int) -> None:
        super().__init__(f"{waiting} inputs wait for the run {run} already: asking again in {after} s would work")
        self.after = after


class Late(HeedfulError):
    """An answer that took longer than a client should wait."""


@dataclass(eq=False)
class Job:
    """What waits: an input to be answered with others, or a call that wants the model for itself."""

    done: asyncio.Future[Any]
    text: str = ""
    asked: Asked | None = None
    call: Callable[[], Any] | None = None


@final
class Gatherer:
    """The line before one run. Start it with `start`, in the event loop; `stop` lets what waits be answered first."""

    def __init__(self, name: str, answers: Answers, limits: Limits, batched: Callable[[int], None] = lambda size: None) -> None:
        self.name, self.answers, self.limits, self.batched = name, answers, limits, batched
        self.waiting: deque[Job] = deque()
        self.some = asyncio.Event()
        self.thread = ThreadPoolExecutor(1, thread_name_prefix=f"heedful-{name}")
        self.pace = 0.05  # seconds of a job, by the latest ones
        self.worker: asyncio.Task[None] | None = None
        self.at_work = False

    def start(self) -> None:
        """Begin to answer."""
        self.worker = asyncio.get_running_loop().create_task(self.work())

    async def stop(self) -> None:
        """Answer what waits, then end."""
        while self.waiting or self.at_work:
            await asyncio.sleep(0.01)
        if self.worker is not None:
            self.worker.cancel()
            await asyncio.gather(self.worker, return_exceptions=True)
        self.thread.shutdown(wait=True)

    async def ask(self, texts: Sequence[str], asked: Asked) -> list[Record]:
        """An answer for each text.

        Errors: `Busy`, `Late`, and what the task says of a text.
        """
        self.admit(len(texts))
        loop = asyncio.get_running_loop()
        jobs = [Job(loop.create_future(), text, asked) for text in texts]
        return list(await self.outcome(jobs))

    async def call(self, call: Callable[[], T]) -> T:
        """What a call gives that wants the model for itself.

        Errors: `Busy`, `Late`, and its own.
        """
        self.admit(1)
        return await self.step(call)

    async def step(self, call: Callable[[], T]) -> T:
        """The same for one more step of what has been admitted already."""
        found: T = (await self.outcome([Job(asyncio.get_running_loop().create_future(), call=call)]))[0]
        return found

    def admit(self, count: int) -> None:
        """Refuse what the line has no room for."""
        if len(self.waiting) + count > self.limits.queue:
            turns = len(self.waiting) / self.limits.batch
            raise Busy(self.name, len(self.waiting), max(1, min(60, math.ceil(turns * self.pace))))

    async def outcome(self, jobs: list[Job]) -> list[Any]:
        """What came of jobs, none of which is left behind when one fails or takes too long."""
        self.waiting.extend(jobs)
        self.some.set()
        try:
            async with asyncio.timeout(self.limits.timeout):
                return [await job.done for job in jobs]
        except TimeoutError:
            raise Late(f"the run {self.name} did not answer within {self.limits.timeout:g} s: a shorter input would work") from None
        finally:
            for job in jobs:
                if not job.done.cancel() and not job.done.cancelled():
                    job.done.exception()  # seen, or asyncio would say that nobody looked

    async def work(self) -> None:
        """Answer one job, or one batch, after the other."""
        while True:
            await self.some.wait()
            if not self.waiting:
                self.some.clear()
                continue
            if self.waiting[0].call is None and 1 < self.limits.batch > len(self.waiting) and self.limits.gather:
                await asyncio.sleep(self.limits.gather / 1000)
            self.at_work = True
            await self.turn(self.next())
            self.at_work = False

    def next(self) -> list[Job]:
        """The first job that somebody still waits for, and those that can be answered with it."""
        while self.waiting and self.waiting[0].done.done():
            self.waiting.popleft()
        if not self.waiting:
            return []
        first = self.waiting.popleft()
        batch, passed = [first], deque[Job]()
        while first.call is None and self.waiting and len(batch) < self.limits.batch:
            job = self.waiting.popleft()
            if not job.done.done():
                (batch if job.call is None and job.asked == first.asked else passed).append(job)
        self.waiting.extendleft(reversed(passed))
        return batch

    async def turn(self, batch: list[Job]) -> None:
        """Let the model's thread answer a batch, and tell each job what came of it."""
        if not batch:
            return
        started, loop = time.perf_counter(), asyncio.get_running_loop()
        try:
            found = await loop.run_in_executor(self.thread, self.answered, batch)
        except Exception as error:  # whatever it is, it belongs to those who asked, and the line goes on
            found = [error] * len(batch)
        for job, outcome in zip(batch, found, strict=True):
            if job.done.done():
                continue
            if isinstance(outcome, Exception):
                job.done.set_exception(outcome)
            else:
                job.done.set_result(outcome)
        self.pace += SLOW * (time.perf_counter() - started - self.pace)
        if batch[0].call is None:
            self.batched(len(batch))

    def answered(self, batch: list[Job]) -> list[Any]:
        """What comes of a batch, on the model's thread."""
        first = batch[0]
        if first.call is not None:
            return [first.call()]
        assert first.asked is not None
        return list(self.answers([job.text for job in batch], first.asked))
