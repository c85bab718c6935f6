"""`heedful demo`: the tour."""

from __future__ import annotations

from pathlib import Path

from heedful.cli.allocator import keep_memory
from heedful.cli.options import use_threads


def demo(*, out: Path = Path("heedful-demo"), seed: int = 0, threads: int | None = None) -> None:
    """Train on text that Python carries, compare, generate, look inside, and write a report; a few minutes on two cores.

    Arguments:
        out: the folder for report.html and the two runs; those of an earlier tour are replaced.
        seed: of weights, batches and samples.
        threads: of the processor; torch's choice if not given.
    """
    from rich.console import Console

    from heedful.diet.tour.stop import reader
    from heedful.tasks.tour.guide import STOPS, Guide
    from heedful.tasks.tour.plan import plan
    from heedful.tasks.tour.tour import tour

    use_threads(threads)
    keep_memory()
    guide = Guide(Console(highlight=False), STOPS + 1)
    report = tour(plan(seed), out, guide, reader)
    print(f"\n{report}")
