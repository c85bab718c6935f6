"""Predicted milliseconds of plans beside those measured in the model: both phases, several lengths and budgets.

    python benchmarks/predicted.py examples/long-8k.safetensors --threads 1

For each phase and length a profile of one text (of 2,048 tokens at most) makes plans within shares of the milliseconds of the attention
core. The plans are then applied as they run for a user, and the seconds inside their attention are added up over the layers of a pass,
or of one step behind the length: the rest of the model works in between, as it does in use. Dense attention and the plans take turns;
the median of some rounds counts, as it does for the prices, by the thread's own clock where there is one thread. Prices are measured in
the same minutes, unless --cached takes those of earlier; shares of dense attention are what a machine whose speed changes leaves sure.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from unittest import mock

import torch
from torch import Tensor

import heedful
from heedful.manage.apply import attention as planned
from heedful.manage.apply.apply import changed
from heedful.manage.apply.attention import PlannedAttention
from heedful.manage.options.option import Phase
from heedful.manage.plan import Plan
from heedful.manage.prices.stopwatch import clock
from heedful.manage.saving.load import load
from heedful.manage.watch import sites
from heedful.models.decoder import Decoder
from heedful.tasks.opened import opened

Names = tuple[tuple[str, ...], ...]
SEEN, STEPS = 2048, 12
BUDGETS = (0.8, 0.5, 0.25, 0.1)


@dataclass
class Meter:
    """The seconds inside attention since it was last asked."""

    seconds: float = 0.0

    def around(self, work: Callable[..., Tensor]) -> Callable[..., Tensor]:
        """The work, timed."""
        now = clock("cpu")

        def timed(*given: object, **more: object) -> Tensor:
            began = now()
            out = work(*given, **more)
            self.seconds += now() - began
            return out

        return timed

    def taken(self) -> float:
        """Milliseconds; from nothing again after this."""
        found, self.seconds = 1e3 * self.seconds, 0.0
        return found


@contextmanager
def metered() -> Iterator[Meter]:
    """Within it what planned layers take for their attention is counted, projections left out."""
    meter = Meter()
    with (
        mock.patch.object(planned, "passed", meter.around(planned.passed)),
        mock.patch.object(PlannedAttention, "cached", meter.around(PlannedAttention.cached)),
    ):
        yield meter


@torch.inference_mode()
def measured(model: Decoder, rivals: Sequence[Names], phase: Phase, length: int, rounds: int) -> list[float]:
    """Milliseconds of the attention of a pass over `length` tokens, or of a step behind them; the rivals take turns, the median counts."""
    ids = torch.randint(0, model.vocabulary, (1, length + STEPS), generator=torch.Generator().manual_seed(1))
    once = read if phase == "prefill" else stepped
    found: list[list[float]] = [[] for _ in rivals]
    with metered() as meter:
        for _ in range(rounds):
            for times, choices in zip(found, rivals, strict=True):
                with changed(model, choices, 0):
                    times.append(once(model, ids, meter))
    return [median(times) for times in found]


def read(model: Decoder, ids: Tensor, meter: Meter) -> float:
    """A pass over all but the last tokens."""
    meter.taken()
    model(ids[:, :-STEPS])
    return meter.taken()


def stepped(model: Decoder, ids: Tensor, meter: Meter) -> float:
    """The median step over the last tokens."""
    cache, steps = model.new_cache(), []
    model(ids[:, :-STEPS], cache=cache)
    for at in range(ids.shape[1] - STEPS, ids.shape[1]):
        meter.taken()
        model(ids[:, at : at + 1], cache=cache)
        steps.append(meter.taken())
    return median(steps)


def plans(run: Path, data: str | None, phase: Phase, length: int, budgets: Sequence[float]) -> Iterator[Plan]:
    """A plan for each budget that can be met."""
    found = opened(run, data, min(length, SEEN), limit=1)
    profile = heedful.profile(found.model, found.parts.calibrate, phase=phase, length=length)
    for budget in budgets:
        try:
            yield heedful.plan(profile, heedful.Budget(milliseconds=budget, length=length, phase=phase))
        except heedful.HeedfulError as error:
            print(f"{phase} {length:,} at {budget:g}: {error}")


def row(plan: Plan, name: str, times: tuple[float, float], dense: tuple[float, float]) -> str:
    """A line of the table: predicted and measured, and both as shares of the dense layer's."""
    foretold, taken = times
    options = "all full" if name == "dense" else ", ".join(f"{count} {option}" for option, count in plan.options.items())
    shares = f"{foretold / dense[0]:.1%} | {taken / dense[1]:.1%} | {off(times, dense):+.0%}"
    where = f"{plan.budget.phase} {plan.length:,}"
    return f"| {where} | {name} | {foretold:.3f} | {taken:.3f} | {foretold / taken - 1:+.0%} | {shares} | {options} |"


def off(times: tuple[float, float], dense: tuple[float, float]) -> float:
    """How far the predicted share of the dense attention is from the measured one."""
    return times[0] / dense[0] / (times[1] / dense[1]) - 1


def compared(asked: argparse.Namespace, model: Decoder, phase: Phase, length: int) -> list[tuple[float, float]]:
    """A line for dense attention and each plan; by how much each plan's milliseconds and share are off."""
    made = list(plans(asked.run, asked.data, phase, length, asked.budgets))
    if not made:
        return []
    whole = tuple(("full",) * site.heads for site in sites(model))
    taken = measured(model, [whole, *(plan.choices for plan in made)], phase, length, asked.rounds)
    foretold = [made[0].dense.milliseconds, *(plan.predicted.milliseconds for plan in made)]
    times = list(zip(foretold, taken, strict=True))
    print(row(made[0], "dense", times[0], times[0]))
    for plan, each in zip(made, times[1:], strict=True):
        print(row(plan, f"{plan.budget.milliseconds:g}", each, times[0]), flush=True)
    return [(each[0] / each[1] - 1, off(each, times[0])) for each in times[1:]]


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data")
    parser.add_argument("--lengths", type=int, nargs="+", default=[1024, 2048, 4096, 8192 - STEPS])
    parser.add_argument("--budgets", type=float, nargs="+", default=BUDGETS)
    parser.add_argument("--phases", nargs="+", default=["prefill", "decode"], choices=["prefill", "decode"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cached", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    model = load(asked.run)
    assert isinstance(model, Decoder)
    found: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as own, mock.patch.dict(os.environ, {} if asked.cached else {"HEEDFUL_CACHE": own}):
        head = ("", "budget", "predicted ms", "measured ms", "off by", "of dense", "measured", "off by", "heads")
        print(f"| {' | '.join(head)} |\n{'|---' * len(head)}|")
        for phase in asked.phases:
            for length in asked.lengths:
                found += compared(asked, model, phase, length)
    for name, errors in zip(("milliseconds", "shares of dense attention"), zip(*found, strict=True), strict=True):
        within = sum(abs(error) <= 0.15 for error in errors)
        print(f"{name}: {within} of {len(errors)} plans within 15 %, half of them within {median(map(abs, errors)):.0%}")


if __name__ == "__main__":
    main()
