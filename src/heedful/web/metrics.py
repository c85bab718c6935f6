"""What has been served, in the text format that Prometheus reads (exposition format 0.0.4)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES: Final = (1, 2, 4, 8, 16, 32, 64, 128)
Labels = tuple[tuple[str, str], ...]


@dataclass
class Histogram:
    """Counts of values up to each bound."""

    bounds: Sequence[float]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0
    count: int = 0

    def __post_init__(self) -> None:
        self.counts = [0] * len(self.bounds)

    def add(self, value: float) -> None:
        """Count a value."""
        self.total, self.count = self.total + value, self.count + 1
        for i, bound in enumerate(self.bounds):
            self.counts[i] += value <= bound

    def lines(self, name: str, labels: Labels) -> Iterator[str]:
        """The histogram as Prometheus reads it."""
        for bound, count in zip(self.bounds, self.counts, strict=True):
            yield f"{name}_bucket{shown((*labels, ('le', f'{bound:g}')))} {count}"
        yield f"{name}_bucket{shown((*labels, ('le', '+Inf')))} {self.count}"
        yield f"{name}_sum{shown(labels)} {self.total:.6f}"
        yield f"{name}_count{shown(labels)} {self.count}"


class Metrics:
    """Requests by door and status, seconds of each door, sizes of batches and tokens made of each run.

    >>> metrics = Metrics()
    >>> metrics.served("/predict", 200, 0.02)
    >>> print(metrics.text({"mine": 3}).splitlines()[2])
    heedful_requests_total{door="/predict",status="200"} 1
    """

    def __init__(self) -> None:
        self.requests: dict[Labels, int] = defaultdict(int)
        self.tokens: dict[Labels, int] = defaultdict(int)
        self.seconds: dict[Labels, Histogram] = defaultdict(lambda: Histogram(SECONDS))
        self.sizes: dict[Labels, Histogram] = defaultdict(lambda: Histogram(SIZES))

    def served(self, door: str, status: int, seconds: float) -> None:
        """A request that has been answered."""
        self.requests[(("door", door), ("status", str(status)))] += 1
        self.seconds[(("door", door),)].add(seconds)

    def batched(self, run: str, size: int) -> None:
        """Inputs that were answered together."""
        self.sizes[(("run", run),)].add(size)

    def made(self, run: str, tokens: int) -> None:
        """Tokens that were made."""
        self.tokens[(("run", run),)] += tokens

    def text(self, waiting: Mapping[str, int]) -> str:
        """All of it, with how many inputs wait for each run."""
        lines = [
            *told("heedful_requests_total", "counter", "Requests answered.", self.requests),
            *told("heedful_tokens_total", "counter", "Tokens made.", self.tokens),
            *told("heedful_waiting", "gauge", "Inputs that wait.", {(("run", run),): count for run, count in waiting.items()}),
            *told_each("heedful_request_seconds", "Seconds of a request.", self.seconds),
            *told_each("heedful_batch_size", "Inputs answered together.", self.sizes),
        ]
        return "\n".join(lines) + "\n"


def told(name: str, kind: str, about: str, values: Mapping[Labels, int]) -> list[str]:
    """A counter or gauge with its values."""
    return [f"# HELP {name} {about}", f"# TYPE {name} {kind}", *(f"{name}{shown(labels)} {value}" for labels, value in values.items())]


def told_each(name: str, about: str, values: Mapping[Labels, Histogram]) -> list[str]:
    """Histograms of one name."""
    lines = [line for labels, histogram in values.items() for line in histogram.lines(name, labels)]
    return [f"# HELP {name} {about}", f"# TYPE {name} histogram", *lines]


def shown(labels: Labels) -> str:
    """Labels in braces, quotes and line ends escaped."""
    pairs = (f'{name}="{escaped(value)}"' for name, value in labels)
    return "{" + ",".join(pairs) + "}"


def escaped(value: str) -> str:
    """A label's value as it stands between quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
