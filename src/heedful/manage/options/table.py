"""Every option: how its name is read, and the ladder that a profile measures unless told otherwise."""

from __future__ import annotations

import re

from heedful.errors import UsageError, unknown
from heedful.manage.options.blocks import Blocks
from heedful.manage.options.drop import Drop
from heedful.manage.options.full import Full
from heedful.manage.options.h2o import HeavyHitters
from heedful.manage.options.keynorm import KeyNorm
from heedful.manage.options.option import PHASES, Option, Phase
from heedful.manage.options.snapkv import SnapKV
from heedful.manage.options.streaming import Streaming
from heedful.manage.options.window import Window

OPTIONS: tuple[type[Option], ...] = (Full, Window, Blocks, Streaming, KeyNorm, HeavyHitters, SnapKV, Drop)
FULL, DROP = Full(), Drop()

SINKS = 4
WINDOWS = (64, 128, 256, 512, 1024, 2048, 4096)  # absolute: what a head looks at does not grow with the text
SHARES = (2, 4, 8, 16)  # and relative: a half, a quarter ... of the length
WRITTEN = re.compile(r"\s*([a-z0-9]+)\s*(?:\(\s*(\d+(?:\s*,\s*\d+)*)?\s*\))?\s*")


def parse(name: str) -> Option:
    """The option of that name.

    >>> parse("window(256,4)"), parse("h2o(512)").name, parse("drop")
    (Window(size=256, sinks=4), 'h2o(512)', Drop())
    >>> parse("windw(256)")
    Traceback (most recent call last):
    heedful.errors.UsageError: unknown option 'windw': did you mean 'window'? (blocks, drop, full, h2o, keynorm, snapkv, streaming, window)
    """
    found = WRITTEN.fullmatch(name) if len(name) <= 100 else None
    if found is None:
        raise UsageError(f"an option is a name, or a name and whole numbers: found {name[:100]!r}; 'window(256,4)' would work")
    word, numbers = found[1], found[2]
    kinds = {kind.word: kind for kind in OPTIONS}
    if word not in kinds:
        raise unknown("option", word, kinds)
    values = [int(number) for number in numbers.split(",")] if numbers else []
    try:
        return kinds[word](*values)
    except TypeError as error:
        raise UsageError(f"option {name!r}: {word} does not take {len(values)} numbers; {example(kinds[word])} would work") from error


def example(kind: type[Option]) -> str:
    """One way to write an option of a kind."""
    return next(
        option.name
        for option in (*default_options(8192, "prefill"), *default_options(8192, "decode"), Blocks(64))
        if isinstance(option, kind)
    )


def default_options(length: int, phase: Phase = "prefill") -> tuple[Option, ...]:
    """What a profile at a length measures: full, the ladder, drop; the most expensive first.

    Blocks are not among them: at the same number of pairs a window lost less at each of 64 heads of a model that we trained.
    Strided, dilated and top-k rules are no options at all: they leave something in every tile, so the kernels skip little.

    >>> [option.name for option in default_options(1024)]
    ['full', 'window(512,4)', 'window(256,4)', 'window(128,4)', 'window(64,4)', 'drop']
    >>> [option.name for option in default_options(256, "decode")][:5]
    ['full', 'streaming(124,4)', 'keynorm(128)', 'h2o(128)', 'snapkv(128)']
    """
    if phase not in PHASES:
        raise unknown("phase", phase, PHASES)
    if length < 2:
        raise UsageError(f"options are for sequences of 2 tokens or more: found length {length}")
    rungs = windows(length) if phase == "prefill" else tuple(option for share in SHARES for option in caches(length // share))
    return (FULL, *rungs, DROP)


def windows(length: int) -> tuple[Option, ...]:
    """The absolute ladder below the length, or, for short sequences, shares of it."""
    sizes = [size for size in WINDOWS if size + SINKS < length]
    if len(sizes) < len(SHARES):
        sizes = sorted({*sizes, *(length // share for share in SHARES if length // share > 0)})
    return tuple(Window(size, min(SINKS, size)) for size in reversed(sizes))


def caches(size: int) -> tuple[Option, ...]:
    """Every way to keep `size` keys; none for fewer than two sinks' worth."""
    if size < 2 * SINKS:
        return ()
    return (Streaming(size - SINKS, SINKS), KeyNorm(size), HeavyHitters(size), SnapKV(size))
