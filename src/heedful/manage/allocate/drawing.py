"""A plan in the terminal: a sign for each head, layer by layer, and what it takes beside dense attention."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_lowercase, ascii_uppercase

from rich.table import Table

from heedful.manage.options.table import parse
from heedful.manage.plan import DROP, FULL, Plan, Spend

SIGNS = ascii_lowercase + ascii_uppercase


def grid(plan: Plan) -> str:
    """A line a layer, a sign a head: a full block for all of the attention, a dot for none, letters for what lies between.

    The legend says which; the first letter keeps the most keys.
    """
    signs = legend(plan)
    width, drawn = max(len(site.name) for site in plan.sites), ["".join(signs[name] for name in names) for names in plan.choices]
    lines = [f"{site.name:<{width}}  {line}" for site, line in zip(plan.sites, drawn, strict=True)]
    told = ", ".join(f"{sign} {name} ({plan.options[name]})" for name, sign in signs.items())
    return "\n".join([*lines, told])


def legend(plan: Plan) -> dict[str, str]:
    """A sign for each option in use, by how many keys it keeps."""
    between = sorted((name for name in plan.options if name not in (FULL, DROP)), key=lambda name: (-parse(name).kept(plan.length), name))
    signs = {name: SIGNS[place % len(SIGNS)] for place, name in enumerate(between)}
    ordered = {FULL: "■", **signs, DROP: "·"}
    return {name: sign for name, sign in ordered.items() if name in plan.options}


def totals(plan: Plan) -> Table:
    """What dense attention and the plan take, and what the plan is predicted to lose."""
    table = Table(str(plan.budget), "dense", "plan", "share", pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for label, dense, planned in rows(plan.dense, plan.predicted):
        table.add_row(label, f"{dense:,.4g}", f"{planned:,.4g}", f"{planned / dense:.1%}" if dense else "-")
    if plan.saved_projections:
        table.add_row("million operations of projections left out", "", f"{plan.saved_projections / 1e6:,.4g}", "")
    for label, value in losses(plan).items():
        table.add_row(label, "", value, "")
    return table


def rows(dense: Spend, planned: Spend) -> list[tuple[str, float, float]]:
    """The resources in units that are read."""
    return [
        ("milliseconds of attention", dense.milliseconds, planned.milliseconds),
        ("million operations", dense.operations / 1e6, planned.operations / 1e6),
        ("MiB of keys and values", dense.bytes / 2**20, planned.bytes / 2**20),
    ]


def losses(plan: Plan) -> Mapping[str, str]:
    """The predicted loss, what it would be by heads alone and its bound, the whole plan's by each estimator, and who decided."""
    found = {"nats a token, predicted": f"{plan.foretold:.4g}"}
    if plan.together is not None:
        found["the same, heads one by one"] = f"{plan.loss:.4g}"
    if plan.bound is not None:
        found["no choice loses less than"] = f"{plan.bound:.4g}"
    found.update({f"the whole plan of {name}": f"{value:.4g}" for name, value in sorted(plan.joint.items(), key=lambda each: each[1])})
    return {**found, "decided by": plan.estimator}
