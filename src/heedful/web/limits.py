"""What the server takes on at most, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass

from heedful.spec.check import positive, require


@dataclass(frozen=True)
class Limits:
    """Bounds of a server; beyond them a client is told 413 (too large), 429 (later) or 504 (too slow).

    Arguments:
        batch: inputs of one run that are answered in one forward at most; 1 answers them one by one.
        gather: milliseconds that an input waits for others to be answered with.
        queue: inputs that may wait for a run; one more is told 429, and after how many seconds to ask again.
        timeout: seconds after which a request is given up.
        body: bytes of a request at most.
        inputs: inputs of one request at most.
        tokens: new tokens of one continuation at most.
        memory: MiB of attention weights that are kept for the page; what is dropped is computed again when it is looked at.
    """

    batch: int = 32
    gather: float = 3.0
    queue: int = 256
    timeout: float = 30.0
    body: int = 4_194_304
    inputs: int = 64
    tokens: int = 2_000
    memory: int = 512

    def __post_init__(self) -> None:
        whole = {"batch": self.batch, "queue": self.queue, "body": self.body, "inputs": self.inputs, "tokens": self.tokens}
        positive({**whole, "timeout": self.timeout, "memory": self.memory})
        require(0 <= self.gather <= 1000, "gather", f"must be 0 to 1,000 milliseconds, found {self.gather:g}")
