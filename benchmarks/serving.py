"""How many answers `heedful serve` gives when many ask at once, gathered into batches and one by one.

    python benchmarks/serving.py RUN --clients 50 --seconds 60
    python benchmarks/serving.py RUN --clients 50 --seconds 60 --precision bf16

RUN is a classifier's folder; its own validation texts are asked. Both servers are processes of their own and get the same load in
turns; before anything is timed, the answers of both are compared. Times are of the client: from sending a request to its answer.
The bound is what the model itself takes for the same texts, one by one and together, with nothing around it but the tokeniser: more
than that ratio no server can give by batching.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from heedful.cli.allocator import keep_memory
from heedful.tasks.classify.loading import load_classifier
from heedful.tasks.task import Asked
from heedful.web.runs.texts import OpenClassifier

ROUNDING = 2e-6  # records keep six decimals, and two of them may be rounded apart


@dataclass
class Load:
    """What clients met."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds

    def at(self, share: float) -> float:
        """Milliseconds within which this share was answered."""
        return 1e3 * sorted(self.times)[min(len(self.times) - 1, int(share * len(self.times)))]


class Client:
    """One keep-alive connection."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def __aenter__(self) -> Client:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *error: object) -> None:
        self.writer.close()
        await self.writer.wait_closed()

    async def ask(self, text: str) -> tuple[int, bytes, int]:
        """Status, body, and for how many seconds to wait before the next request."""
        body = json.dumps({"inputs": [text]}).encode()
        head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.writer.write(head.encode() + body)
        told = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(re.findall(r"content-length: (\d+)", told)[0])
        later = re.findall(r"retry-after: (\d+)", told)
        return int(told[9:12]), await self.reader.readexactly(length), int(later[0]) if later else 0


async def client(port: int, texts: list[str], first: int, ends: float, load: Load) -> None:
    """Ask one text after the other until the time is over."""
    async with Client(port) as asking:
        place = first
        while time.perf_counter() < ends:
            started = time.perf_counter()
            status, _, later = await asking.ask(texts[place % len(texts)])
            load.statuses[status] += 1
            if status == 200:
                load.times.append(time.perf_counter() - started)
            elif status == 429:
                await asyncio.sleep(min(later, max(0.0, ends - time.perf_counter())))
            place += 1


async def loaded(port: int, texts: list[str], clients: int, seconds: float) -> Load:
    """So many clients at once."""
    load, started = Load(), time.perf_counter()
    await asyncio.gather(*(client(port, texts, 31 * i, started + seconds, load) for i in range(clients)))
    load.seconds = time.perf_counter() - started
    return load


async def answers(port: int, texts: list[str], together: bool) -> list[dict[str, object]]:
    """The answer of each text, asked one by one or all at once."""

    async def one(text: str) -> dict[str, object]:
        async with Client(port) as asking:
            status, body, _ = await asking.ask(text)
            assert status == 200, body
            found: dict[str, object] = json.loads(body)["answers"][0]
            return found

    return list(await asyncio.gather(*map(one, texts))) if together else [await one(text) for text in texts]


@contextmanager
def served(run: Path, batch: int, threads: int, precision: str) -> Iterator[int]:
    """The command, until it is no longer wanted; the port it took."""
    options = ["--port", "0", "--batch", str(batch), "--threads", str(threads), "--precision", precision]
    command = [sys.executable, "-m", "heedful", "serve", str(run), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().split(" (")[0].rsplit(":", 1)[1])
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        assert code == 0, f"the server ended with {code}"


def differences(one: Sequence[Mapping[str, Any]], other: Sequence[Mapping[str, Any]]) -> float:
    """The largest difference of two probabilities of the same class, where both name it (they name the five likeliest)."""
    pairs = ((a["probabilities"], b["probabilities"]) for a, b in zip(one, other, strict=True))
    return max(abs(float(a[label]) - float(b[label])) for a, b in pairs for label in a if label in b)


def bound(run: OpenClassifier, texts: list[str], batch: int) -> tuple[float, float]:
    """Seconds that the model and the tokeniser take for a text, one by one and together; the least of three.

    Of the processor for one thread; by the clock where several work side by side.
    """
    clock = time.thread_time if torch.get_num_threads() == 1 else time.perf_counter

    def each(size: int) -> float:
        started = clock()
        for at in range(0, len(texts), size):
            run.answers(texts[at : at + size], Asked())
        return (clock() - started) / len(texts)

    one, together = ([each(size) for _ in range(3)] for size in (1, batch))
    return min(one), min(together)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=("float32", "bf16"), default="float32")
    parser.add_argument("--no-bound", action="store_true", help="leave the model by itself out")
    asked = parser.parse_args()
    texts = list(load_classifier(asked.run).corpus().part("validation").texts[:500])
    exact = OpenClassifier(asked.run).answers(texts[:40], Asked())
    if not asked.no_bound:
        torch.set_num_threads(asked.threads)
        keep_memory()
        one, together = bound(OpenClassifier(asked.run, None, asked.precision), texts[:96], asked.batch)
        print(f"the model alone: {1e3 * one:.1f} ms a text one by one, {1e3 * together:.1f} ms together: {one / together:.2f} at most")
    found: dict[int, Load] = {}
    said: dict[int, list[dict[str, object]]] = {}
    for batch in (1, asked.batch):
        with served(asked.run, batch, asked.threads, asked.precision) as port:
            said[batch] = asyncio.run(answers(port, texts[:40], together=batch > 1))
            asyncio.run(loaded(port, texts, asked.clients, 1.0))
            found[batch] = asyncio.run(loaded(port, texts, asked.clients, asked.seconds))
    gaps = [differences(said[batch], [dict(found) for found in exact if isinstance(found, Mapping)]) for batch in (1, asked.batch)]
    same = sum(a["label"] == b["label"] for a, b in zip(said[1], said[asked.batch], strict=True))
    print(f"{same} of {len(said[1])} classes the same; probabilities {gaps[0]:.1e} and {gaps[1]:.1e} from those of float32, one by one")
    print(f"{asked.clients} clients for {asked.seconds:g} s each")
    # Padding and the order of sums may round another way, but no further off than one by one (x 2: both ends of a difference).
    assert gaps[1] <= 2 * (gaps[0] + ROUNDING), gaps
    print("| answered | answers a second | p50 ms | p99 ms | statuses |")
    print("|---|---|---|---|---|")
    for batch, load in found.items():
        name = "one by one" if batch == 1 else f"{batch} at most together"
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(load.statuses.items()))
        print(f"| {name} | {load.rate:.0f} | {load.at(0.5):.0f} | {load.at(0.99):.0f} | {statuses} |")
    print(f"ratio {found[asked.batch].rate / found[1].rate:.2f}")
    assert all(set(load.statuses) <= {200, 429} for load in found.values())


if __name__ == "__main__":
    main()
