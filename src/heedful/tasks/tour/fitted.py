"""The transformer with half of its attention: planned, verified, and beside what else half could have been spent on."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from heedful.explanations.page import Section
from heedful.explanations.parts.prose import command, paragraph
from heedful.explanations.parts.table import table
from heedful.manage.frontier.drawing import frontier
from heedful.manage.frontier.frontier import Frontier
from heedful.manage.frontier.ladder import Ladder
from heedful.manage.frontier.page import numbers, panel
from heedful.manage.planning import Search
from heedful.manage.planning import plan as planned
from heedful.manage.profiling import profile
from heedful.manage.verify.protocol import Protocol
from heedful.manage.verify.report import Report
from heedful.manage.verify.verify import verify
from heedful.spec.budget import Budget
from heedful.tasks.opened import opened
from heedful.tasks.tour.guide import Guide
from heedful.tasks.tour.plan import Plan
from heedful.tasks.tour.trained import Trained

ROWS: Final = 8  # sequences of a batch
QUICKER: Final = 1.05  # times, from which on a plan is said to be
REST: Final = 4  # the last quarter of a text is what comes after the cache has thrown keys out
SEARCH: Final = Search(tokens=2048)
LADDER: Final = Ladder(budgets=(0.75, 0.5, 0.25), resource="operations", timed=2)


def fitted(model: Trained, plan: Plan, folder: Path, guide: Guide) -> Section:
    """Half of the keys that each further token reads; what is made is kept under `folder`."""
    found = opened(model.folder, length=model.loaded.spec.model.context, batch=ROWS, limit=plan.texts)
    prefill = found.length - found.length // REST
    profiled = profile(found.model, found.parts.calibrate, phase="decode", prefill=prefill, name=model.kind)
    profiled.save(folder / "profile.json")
    budget = Budget(operations=plan.share, length=found.length, phase="decode")
    made = planned(profiled, budget, model=found.model, batches=found.parts.calibrate, search=SEARCH)
    made.save(folder / "plan.json")
    options = ", ".join(f"{count} {name}" for name, count in made.options.items())
    guide.say(f"{sum(made.counts)} heads: {options}.")
    how = Protocol(prefill=prefill, probes=0, timed=3)
    report = verify(found.model, made, found.parts.test, plan.epsilon, select=found.parts.select, profile=profiled, protocol=how)
    report.save(folder / "report.json")
    guide.say(f"{report.verdict}.")
    guide.say(clock(report))
    drawn = frontier(
        found.model, profiled, found.parts.test, calibrate=found.parts.calibrate, ladder=LADDER, search=SEARCH, name=model.kind
    )
    drawn.save(folder / "frontier.json")
    return section(model, plan, prefill, report, drawn)


def section(model: Trained, plan: Plan, prefill: int, report: Report, drawn: Frontier) -> Section:
    """The figures, the dial, and how to repeat both."""
    again = [
        command(f"heedful plan {model.folder} --operations {plan.share:g} --phase decode --out plan.json"),
        command(f"heedful verify {model.folder} --plan plan.json --epsilon {plan.epsilon:g} --prefill {prefill} --batch {ROWS}"),
        command(f"heedful frontier {model.folder} --phase decode --resource operations --budgets 0.75,0.5,0.25 --batch {ROWS}"),
    ]
    rows = [list(row) for part in (report.quality(), report.clocked()) for row in part]
    measured = table(["", "all of its attention", "planned", "difference"], rows, report.verdict)
    lead = (
        f"A further token reads the keys of all tokens before it. Here, once {prefill} tokens are read, each head throws out those it "
        f"can do without, and {plan.share:.0%} of the operations of scores and weighted sums are left. The plan is made on one part of "
        "the held-out text and judged on another."
    )
    return Section("Half of its attention", lead, [measured, paragraph(clock(report)), *panel(drawn), numbers(drawn), *again], "budget")


def clock(report: Report) -> str:
    """What it is worth in time and bytes at this length, whichever way it went."""
    length, found = report.plan.length, {one.name: one for one in report.timings}
    read, token, cache = found["prefill"], found["decode"], found["cache"]
    said = (
        f"At {length} tokens: each further token {token.dense:.2f} ms with all of its attention, {token.planned:.2f} ms planned; "
        f"the cache {cache.planned / cache.dense:.0%} of its bytes; reading the text {read.dense:.1f} and {read.planned:.1f} ms."
    )
    if token.gain < QUICKER:
        said += " At so few tokens all of it is as quick: fewer keys pay in longer texts."
    return said
