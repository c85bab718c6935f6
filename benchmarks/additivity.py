"""Whether heads' losses add up: python benchmarks/additivity.py RUN --data python-reference --length 2048 --budget 0.4

A plan is made within a share of the attention's operations. Its divergence from the dense model as a whole is set beside what
the profile foretells, the heads of a layer together, and one by one; with --exact beside the sum of exact ablations of one head
each (64 passes and more). All on the same texts.
"""

from __future__ import annotations

import argparse

import torch

import heedful
from heedful.manage.allocate.joint import Names, Trial
from heedful.manage.plan import FULL, Plan
from heedful.tasks.opened import opened


def singles(plan: Plan) -> list[Names]:
    """A plan for each head that has not all of its attention: that head's option, and full for all others."""
    dense = [[FULL] * site.heads for site in plan.sites]
    found = []
    for site, row in enumerate(plan.choices):
        for head, name in enumerate(row):
            if name != FULL:
                changed = [list(other) for other in dense]
                changed[site][head] = name
                found.append(tuple(map(tuple, changed)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--data")
    parser.add_argument("--length", type=int, default=2048)
    parser.add_argument("--texts", type=int, default=1)
    parser.add_argument("--budget", type=float, nargs="+", default=[0.6, 0.4, 0.25])
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    found = opened(asked.run, asked.data, asked.length, limit=asked.texts)
    profile = heedful.profile(found.model, found.parts.calibrate)
    trial = Trial(found.model, found.parts.calibrate, tokens=1 << 30)
    print(f"{asked.run}, {found.sizes()}")
    print("| operations | joint KL | layers together | off by | heads one by one | off by | exact singles | off by | options |")
    print("|---|---|---|---|---|---|---|---|---|")
    for budget in asked.budget:
        plan = heedful.plan(profile, heedful.Budget(operations=budget))
        joint, *each = trial.joint([plan.choices, *(singles(plan) if asked.exact else [])])
        assert plan.together is not None
        sums = (plan.together, plan.loss, *([sum(each)] if asked.exact else []))
        told = [f"{value:.5f} | {value / joint - 1:+.0%}" for value in sums] + ([] if asked.exact else ["- | -"])
        options = ", ".join(f"{count} {name}" for name, count in plan.options.items())
        print(f"| {budget:.0%} | {joint:.5f} | {' | '.join(told)} | {options} |", flush=True)


if __name__ == "__main__":
    main()
