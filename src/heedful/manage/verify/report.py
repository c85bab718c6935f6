"""What verification found: whether the plan holds, by which bound, and what it saves."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from heedful.atomic import write
from heedful.manage.plan import Plan
from heedful.manage.verify.judge import Each
from heedful.manage.verify.probes.probe import Probe
from heedful.manage.verify.slices import Slice
from heedful.manage.verify.timing import Timing

if TYPE_CHECKING:
    from rich.table import Table

VERSION: Final = 1


@final
@dataclass(frozen=True, slots=True)
class Round:
    """One look at the batches that promotion uses: mean loss and its bound there, and how many heads were then promoted."""

    mean: float
    upper: float
    predicted: float  # milliseconds, or what the budget is in, before promotion
    promoted: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class Report:
    """A plan against the model as it is, on batches that nothing was chosen on.

    Arguments:
        passed: whether the bound is within epsilon and the plan is not slower than the dense model.
        metric, epsilon, level: what may rise, by how much, and with which probability the bound holds.
        mean, bound, error: of the difference planned less dense; `error` is the standard error of the mean.
        unit: what was resampled; each: what a place is; tokens: places that counted; dense: the metric of the dense model.
        kl, agreement: of the predictions, None where the model gives no scores.
        slices, probes, timings: by position and length; by question; on the clock.
        rounds: looks at the batches for promotion, which the claim is not made on. plan: as it was judged in the end.
        same: how far the applied model's predictions are from those that were judged, in nats (KL); None where it was not run.
        reasons: why it did not pass; notes: what a reader should know.
    """

    passed: bool
    metric: str
    epsilon: float
    level: float
    mean: float
    bound: float
    error: float
    unit: str
    each: Each
    tokens: int
    dense: float
    kl: float | None
    agreement: float | None
    slices: tuple[Slice, ...]
    probes: tuple[Probe, ...]
    timings: tuple[Timing, ...]
    rounds: tuple[Round, ...]
    plan: Plan
    same: float | None
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    version: int = VERSION

    @property
    def promoted(self) -> int:
        """How many heads were promoted."""
        return sum(len(one.promoted) for one in self.rounds)

    def record(self) -> dict[str, Any]:
        """As plain data; numbers that JSON cannot hold are None."""
        plain: dict[str, Any] = finite(asdict(self))
        return plain

    def save(self, path: Path | str) -> Path:
        """Write it as JSON, whole or not at all."""
        path = Path(path)
        write(path, json.dumps(self.record(), indent=1, ensure_ascii=False) + "\n")
        return path

    def table(self) -> Table:
        """All of it but the plan, to be printed."""
        from rich.table import Table

        shown = Table("", *(("dense", "planned", "difference")), title=self.verdict, title_justify="left", pad_edge=False)
        for part in (self.quality(), self.sliced(), self.asked(), self.clocked()):
            for name, *cells in part:
                shown.add_row(name, *cells)
            shown.add_section()
        return shown

    @property
    def verdict(self) -> str:
        """In one line."""
        word = "holds" if self.passed else "does not hold"
        bound = f"{self.bound:+.4f}" if math.isfinite(self.bound) else "none"
        return f"The plan {word}: {self.level:.0%} bound {bound} {self.words}, epsilon {self.epsilon:g}, over {self.unit}"

    @property
    def words(self) -> str:
        """What the metric is counted in."""
        return f"nats {'a token' if self.each == 'token' else 'an example'}" if self.metric == "nll" else "of the answers"

    def quality(self) -> Iterator[tuple[str, str, str, str]]:
        """The claim."""
        yield f"loss ({self.words})", f"{self.dense:.4f}", f"{self.dense + self.mean:.4f}", f"{self.mean:+.4f} ± {self.error:.4f}"
        if self.metric == "nll" and self.each == "token" and self.dense < 50:
            yield (
                "perplexity",
                f"{math.exp(self.dense):.3f}",
                f"{math.exp(self.dense + self.mean):.3f}",
                f"{100 * math.expm1(self.mean):+.2f} %",
            )
        if self.kl is not None and self.agreement is not None:
            yield "KL, nats", "", f"{self.kl:.5f}", ""
            yield "same first choice", "", f"{100 * self.agreement:.2f} %", ""

    def sliced(self) -> Iterator[tuple[str, str, str, str]]:
        """By position and length."""
        for one in self.slices:
            bound = f" (bound {one.upper:+.4f})" if math.isfinite(one.upper) else ""
            yield f"{one.axis} {one.start:,} to {one.end - 1:,}", "", "", f"{one.mean:+.4f}{bound}"

    def asked(self) -> Iterator[tuple[str, str, str, str]]:
        """The probes: nats of the answer, and its rank."""
        for one in self.probes:
            known = "" if one.known else " (unknown)"
            before, after = f"{one.dense:.2f}, rank {one.dense_rank:.0f}", f"{one.planned:.2f}, rank {one.planned_rank:.0f}"
            yield one.name, before, after, f"{one.lost:+.2f}{known}"

    def clocked(self) -> Iterator[tuple[str, str, str, str]]:
        """Milliseconds and bytes."""
        for one in self.timings:
            if one.unit == "bytes":
                yield f"{one.name} (MB)", f"{one.dense / 1e6:.3f}", f"{one.planned / 1e6:.3f}", f"{one.planned / max(one.dense, 1):.0%}"
            else:
                yield (
                    f"{one.name} ({one.unit})",
                    timed(one.dense, one.dense_quartiles),
                    timed(one.planned, one.planned_quartiles),
                    f"{one.gain:.2f} x",
                )


def timed(median: float, quartiles: tuple[float, float]) -> str:
    """A median and the quartiles.

    >>> timed(1.234, (1.2, 1.3))
    '1.23 [1.20, 1.30]'
    """
    return f"{median:.2f} [{quartiles[0]:.2f}, {quartiles[1]:.2f}]"


def finite(value: Any) -> Any:
    """The same with None where a number is infinite or none.

    >>> finite({"a": (1.0, float("inf"))})
    {'a': [1.0, None]}
    """
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
