"""The line before a run: what is gathered, what is refused, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from heedful.errors import HeedfulError, UsageError
from heedful.spec.generation import Sampling
from heedful.tasks.task import Asked, Record
from heedful.web.gather import Busy, Gatherer, Late
from heedful.web.limits import Limits

ASKED = Asked()


class Model:
    """Answers with the text and how many were answered with it; waits while the gate is shut."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def answers(self, texts: Sequence[str], asked: Asked) -> list[Record | HeedfulError]:
        self.begun.set()
        assert self.gate.wait(60)
        self.sizes.append(len(texts))
        return [UsageError("bad") if text == "bad" else {"text": text, "heat": asked.sampling.temperature} for text in texts]


async def line(model: Model, limits: Limits) -> Gatherer:
    gatherer = Gatherer("mine", model.answers, limits)
    gatherer.start()
    return gatherer


def test_inputs_of_many_are_answered_together() -> None:
    async def main() -> None:
        model = Model()
        gatherer = await line(model, Limits(batch=8, gather=20))
        found = await asyncio.gather(*(gatherer.ask([str(i)], ASKED) for i in range(20)))
        assert [one["text"] for (one,) in found] == [str(i) for i in range(20)]
        assert sum(model.sizes) == 20
        assert max(model.sizes) == 8
        await gatherer.stop()

    asyncio.run(main())


def test_what_is_drawn_otherwise_is_answered_apart() -> None:
    async def main() -> None:
        model = Model()
        gatherer = await line(model, Limits(batch=8, gather=20))
        warm = Asked(Sampling(temperature=2.0))
        found = await asyncio.gather(gatherer.ask(["a", "b"], ASKED), gatherer.ask(["c"], warm), gatherer.ask(["d"], ASKED))
        assert [[one["heat"] for one in part] for part in found] == [[1.0, 1.0], [2.0], [1.0]]
        assert sorted(model.sizes) == [1, 3]
        await gatherer.stop()

    asyncio.run(main())


def test_a_full_line_says_when_to_come_again() -> None:
    async def main() -> None:
        model = Model()
        model.gate.clear()
        gatherer = await line(model, Limits(batch=1, gather=0, queue=3))
        waiting = [asyncio.create_task(gatherer.ask(["first"], ASKED))]
        await asyncio.to_thread(model.begun.wait)
        waiting += [asyncio.create_task(gatherer.ask([str(i)], ASKED)) for i in range(3)]
        await asyncio.sleep(0)
        assert len(gatherer.waiting) == 3  # and one is being answered
        with pytest.raises(Busy, match="3 inputs wait") as refusal:
            await gatherer.ask(["one more"], ASKED)
        assert 1 <= refusal.value.after <= 60
        model.gate.set()
        assert len(await asyncio.gather(*waiting)) == 4
        assert (await gatherer.ask(["now"], ASKED))[0]["text"] == "now"
        await gatherer.stop()

    asyncio.run(main())


def test_what_nobody_waits_for_is_not_answered() -> None:
    async def main() -> None:
        model = Model()
        model.gate.clear()
        gatherer = await line(model, Limits(batch=1, gather=0))
        first = asyncio.create_task(gatherer.ask(["first"], ASKED))
        await asyncio.to_thread(model.begun.wait)
        gatherer.limits = Limits(batch=1, gather=0, timeout=0.1)
        with pytest.raises(Late, match=r"0\.1 s"):
            await gatherer.ask(["second"], ASKED)
        gatherer.limits = Limits(batch=1, gather=0)
        model.gate.set()
        await asyncio.gather(first, gatherer.ask(["third"], ASKED))
        assert model.sizes == [1, 1]  # the second had been given up
        await gatherer.stop()

    asyncio.run(main())


def test_one_bad_input_is_its_own_affair() -> None:
    async def main() -> None:
        gatherer = await line(Model(), Limits(batch=8, gather=20))
        good, bad = await asyncio.gather(gatherer.ask(["good"], ASKED), gatherer.ask(["bad"], ASKED), return_exceptions=True)
        assert isinstance(bad, UsageError)
        assert isinstance(good, list)
        assert good[0]["text"] == "good"
        await gatherer.stop()

    asyncio.run(main())


def test_stopping_answers_what_waits() -> None:
    async def main() -> None:
        gatherer = await line(Model(), Limits(batch=2, gather=0))
        waiting = [asyncio.create_task(gatherer.ask([str(i)], ASKED)) for i in range(7)]
        await asyncio.sleep(0)
        await gatherer.stop()
        assert [(await one)[0]["text"] for one in waiting] == [str(i) for i in range(7)]

    asyncio.run(main())


def test_an_error_of_the_model_leaves_the_line_open() -> None:
    async def main() -> None:
        gatherer = await line(Model(), Limits())
        with pytest.raises(ZeroDivisionError):
            await gatherer.call(lambda: 1 // 0)
        assert await gatherer.call(lambda: 1) == 1
        await gatherer.stop()

    asyncio.run(main())
