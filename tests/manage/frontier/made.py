"""A frontier made of formulas: nothing here was measured."""

from __future__ import annotations

import math

import numpy as np

from heedful.manage.frontier.frontier import Frontier, Point, marked
from heedful.manage.site import Site

OPTIONS = ("full", "window(1024,4)", "window(256,4)", "window(64,4)", "drop")
SHARES = (1.0, 0.25, 0.07, 0.02, 0.0)
POLICIES = {"planned": 1.0, "uniform window": 4.0, "random": 60.0}
BUDGETS = (0.8, 0.6, 0.4, 0.25)


def frontier(layers: int = 3, heads: int = 4, *, name: str = "made", measured: bool = True) -> Frontier:
    """Losses fall with the budget, by a factor a policy."""
    chance = np.random.default_rng(0)
    sites = tuple(Site(index, f"layers.{index}.attention", heads, heads, 8, 8, True) for index in range(layers))
    number = layers * heads
    losses = chance.lognormal(-6, 1.5, number)[:, None] * (1 - np.array(SHARES)) ** 3
    each = np.repeat(2.0 * np.array([SHARES]), number, 0)
    total = 2.0 * number
    points = [
        Point(
            policy=policy,
            budget=budget,
            spent=budget * total,
            predicted=budget * total,
            measured=budget * total + 50 if measured else None,
            loss=factor * 0.0006 * math.exp(5 * (1 - budget)) - 0.0007,
            upper=math.inf if policy == "random" and budget == 0.8 else factor * 0.0009 * math.exp(5 * (1 - budget)),
            kl=0.001 * factor,
            agreement=1 - 0.005 * factor,
            bytes=1e6 * budget,
            choices=tuple(int(choice) for choice in chance.integers(0, len(OPTIONS), number)),
        )
        for policy, factor in POLICIES.items()
        for budget in BUDGETS
    ]
    return Frontier(
        name=name,
        model="0" * 64,
        machine="a machine",
        dtype="float32",
        length=2048,
        phase="prefill",
        resource="milliseconds",
        sites=sites,
        options=OPTIONS,
        losses=tuple(map(tuple, losses.tolist())),
        milliseconds=tuple(map(tuple, each.tolist())),
        openings=tuple((0.0,) * len(OPTIONS) for _ in sites),
        estimator="fisher",
        nats=2.0,
        spent=total,
        predicted=total,
        measured=total + 50 if measured else None,
        bytes=1e6,
        unit="24 sequences of 2,048 places",
        points=marked(points),
        notes=("Made of formulas.",),
    )
