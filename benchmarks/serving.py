"""How many answers `heedful serve` gives when many ask at once, gathered into batches and one by one.

    python benchmarks/serving.py RUN --clients 50 --seconds 60

RUN is a classifier's folder; its own validation texts are asked. Both servers are processes of their own and get the same load in
turns; before anything is timed, the answers of both are compared. Times are of the client: from sending a request to its answer.
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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from heedful.tasks.classify.loading import load_classifier

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
def served(run: Path, batch: int, threads: int) -> Iterator[int]:
    """The command, until it is no longer wanted; the port it took."""
    command = [sys.executable, "-m", "heedful", "serve", str(run), "--port", "0", "--batch", str(batch), "--threads", str(threads)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": str(threads)})
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().split(" (")[0].rsplit(":", 1)[1])
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        assert code == 0, f"the server ended with {code}"


def differences(one: list[dict[str, object]], other: list[dict[str, object]]) -> float:
    """The largest difference of two confidences; the classes must be the same."""
    assert [answer["label"] for answer in one] == [answer["label"] for answer in other]
    return max(abs(float(str(a["confidence"])) - float(str(b["confidence"]))) for a, b in zip(one, other, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    corpus = load_classifier(asked.run).corpus()
    texts = list(corpus.part("validation").texts[:500])
    found: dict[int, Load] = {}
    said: dict[int, list[dict[str, object]]] = {}
    for batch in (1, asked.batch):
        with served(asked.run, batch, asked.threads) as port:
            said[batch] = asyncio.run(answers(port, texts[:40], together=batch > 1))
            asyncio.run(loaded(port, texts, asked.clients, 1.0))
            found[batch] = asyncio.run(loaded(port, texts, asked.clients, asked.seconds))
    gap = differences(said[1], said[asked.batch])
    print(f"{len(said[1])} answers of both: the same classes, confidences within {gap:.1e}")
    print(f"{asked.clients} clients for {asked.seconds:g} s each")
    assert gap <= ROUNDING, gap
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
