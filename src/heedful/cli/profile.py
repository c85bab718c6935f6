"""`heedful profile`: what every head of a model does, and what it would lose with less attention."""

from __future__ import annotations

import json as text
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from heedful.cli.bar import bar
from heedful.cli.options import Json, Words, use_threads

if TYPE_CHECKING:
    from heedful.manage.profile import Profile
    from heedful.tasks.opened import Part

TOKENS = 32_768  # that are looked at unless said otherwise
FEWEST, MOST = 4, 64


def profile(
    model: str,
    /,
    *,
    data: str | None = None,
    out: Path = Path("profile.json"),
    length: int | None = None,
    phase: Literal["prefill", "decode"] = "prefill",
    sample: int | None = None,
    option: Words = [],  # noqa: B006
    json: Json = False,
    threads: int | None = None,
) -> None:
    """Find where every head looks, and what each option would cost and lose, by one pass forward and one backward a text.

    Arguments:
        model: a folder that `heedful train` wrote, one of its checkpoints, a Hugging Face folder or the name of a model.
        data: a text as `heedful train` takes it; the run's own held-out text if not given.
        out: the file that is written.
        length: tokens of a text; as many as the model learnt to read if not given.
        phase: prefill tries what a pass over a text may leave out, decode what a cache may throw away.
        sample: how many texts; enough for 32,768 tokens if not given, 4 to 64 of them.
        option: one option to try, such as "window(256,4)" (may be given again); the ladder for the length if none is.
        json: an object a head on standard output instead of tables.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.cli.allocator import keep_memory
    from heedful.manage.profiling import profile as profiled
    from heedful.tasks.opened import opened

    use_threads(threads)
    keep_memory()
    found = opened(model, data, length)
    texts = some(found.parts.calibrate, sample if sample is not None else min(MOST, max(FEWEST, TOKENS // found.length)))
    with bar("profile") as progress:
        made = profiled(
            found.model, texts, length=found.length, phase=phase, options=option or None, costs=True, name=found.name, progress=progress
        )
    made.save(out)
    show(made, out, found.source, json)


def some(part: Part, number: int) -> Part:
    """That many texts, evenly spaced over the part, or as many as there are."""
    from dataclasses import replace

    from heedful.errors import UsageError

    if number < 1:
        raise UsageError(f"--sample is {number}: it must be 1 or more")
    rows = part.rows
    if number >= len(rows):
        return part
    return replace(part, rows=tuple(rows[(2 * index + 1) * len(rows) // (2 * number)] for index in range(number)))


def show(made: Profile, out: Path, source: str, json: bool) -> None:
    """Tables, or an object a head."""
    from rich.console import Console

    from heedful.manage.portrait import grid, options, records

    if json:
        for record in records(made):
            print(text.dumps(record, ensure_ascii=False))
        return
    console = Console()
    for table in (grid(made), options(made)):
        console.print(table)
    said = f"{made.name}, {made.phase}: {made.sequences} texts of {made.length:,} tokens from {source}; written to {out}"
    console.print(said, highlight=False, soft_wrap=True)
