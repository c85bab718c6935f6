"""Milliseconds of groups of heads, measured: every option and several group sizes taking turns, the median of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch

from heedful.attention.predict import predict_cost
from heedful.cost.measure import Patience, medians
from heedful.manage.options.option import Option
from heedful.manage.options.table import FULL
from heedful.manage.prices.price import Kind, Point
from heedful.manage.prices.steps import Steps
from heedful.manage.prices.stopwatch import Stopwatch
from heedful.manage.prices.work import Passes, Setting, label, rule

ROUND = 800.0  # milliseconds that one round over all works may take
LONGEST = 1000.0  # of one work; longer ones are measured on shorter texts
PATIENCE = Patience(seconds=1.5, rounds=4, most=60)


def measured(kind: Kind, options: Sequence[Option], setting: Setting) -> list[tuple[Point, ...]]:
    """For each option, group sizes with their milliseconds; dropped heads take none.

    Heads are independent, so of what takes long only small groups are measured; and a pass over very long texts is
    measured on shorter ones, its time growing by the pairs that are computed.
    """
    if setting.phase == "prefill" and guess(kind, FULL, kind.ratio, setting) > LONGEST and setting.length > 1024:
        shorter = replace(setting, length=setting.length // 2)
        return [
            scaled(points, option, kind, setting, shorter) for points, option in zip(measured(kind, options, shorter), options, strict=True)
        ]
    sizes = group_sizes(kind, setting)
    works = [(option, heads) for option in options for heads in affordable(kind, option, sizes, setting, len(options))]
    watch = Stopwatch(setting.device)
    bench = Passes(kind, setting, watch) if setting.phase == "prefill" else Steps(kind, setting, watch)
    with torch.inference_mode():
        done = [bench.work(option, heads) for option, heads in works]
        times = medians([each.run for each in done], PATIENCE, watch)
    points: dict[str, list[Point]] = {}
    for (option, heads), each, time in zip(works, done, times, strict=True):
        points.setdefault(option.name, []).append((heads, time / each.groups))
    return [tuple(points[option.name]) for option in options]


def group_sizes(kind: Kind, setting: Setting) -> list[int]:
    """1, 2, 4 ... and all heads; in a step whole groups of those that share keys."""
    least = kind.ratio if setting.phase == "decode" else 1
    sizes = {least << power for power in range(8) if least << power <= kind.heads}
    return sorted(sizes | {kind.heads})


def affordable(kind: Kind, option: Option, sizes: Sequence[int], setting: Setting, options: int) -> list[int]:
    """The group sizes that are measured: two at least, and larger ones as long as a round does not take too long."""
    allowance = ROUND / options
    some = list(sizes[:2])
    spent = sum(guess(kind, option, heads, setting) for heads in some)
    for heads in reversed(sizes[2:]):  # all heads first: it is what a plan compares itself with
        time = guess(kind, option, heads, setting)
        if spent + time <= allowance:
            some.append(heads)
            spent += time
    return sorted(some)


def guess(kind: Kind, option: Option, heads: int, setting: Setting) -> float:
    """Milliseconds by what is known of the kernels."""
    keys = heads // kind.ratio if heads % kind.ratio == 0 else heads
    length, decoding = setting.length, setting.phase == "decode"
    found = predict_cost(
        q=1 if decoding else length,
        k=option.kept(length) if decoding else length,
        heads=heads,
        kv_heads=keys,
        d=kind.d,
        v=kind.v,
        batch=setting.batch,
        dtype=setting.dtype,
        device=setting.device,
        mask=None if decoding else rule(kind, option),
    )
    return (found.milliseconds or 0.0) * (setting.layers if decoding else 1)


def scaled(points: Sequence[Point], option: Option, kind: Kind, setting: Setting, shorter: Setting) -> tuple[Point, ...]:
    """Times on a shorter text, by the pairs computed on the longer one."""
    more = option.attended(setting.length, kind.causal) / max(option.attended(shorter.length, kind.causal), 1)
    return tuple((heads, time * more) for heads, time in points)


def labelled(kind: Kind, options: Sequence[Option], setting: Setting) -> dict[str, Option]:
    """One option for each time there is to measure: many differ in what they keep, and not in what they compute."""
    return {label(kind, option, setting): option for option in reversed(options) if not option.drops}
