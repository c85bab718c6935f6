"""`heedful look`: sentences through every mechanism of the catalogue."""

from __future__ import annotations

import json as text
from pathlib import Path

from heedful.cli.options import Json


def look(*sentences: str, run: Path | None = None, out: Path | None = None, json: Json = False, seed: int = 0) -> None:
    """Send sentences through every mechanism: the matrix A, the output, and how the mechanisms differ.

    Words are split at spaces and signs; Chinese and Japanese without spaces by character. Several sentences are also
    read by the first one (cross attention).

    Arguments:
        sentences: one to four.
        run: take tokens, embeddings and projections from this run; random ones if not given.
        out: write a self-contained HTML page here.
        json: an object on standard output instead of maps and tables.
        seed: of whatever is random.
    """
    from rich.console import Console

    from heedful.explanations.page import write
    from heedful.tasks.look.look import look as looked
    from heedful.tasks.look.page import look_page
    from heedful.tasks.look.run import run_vectors
    from heedful.tasks.look.terminal import show
    from heedful.tasks.look.vectors import RandomVectors

    seen = looked(sentences, RandomVectors(seed) if run is None else run_vectors(run), seed)
    if out is not None:
        write(out, look_page(seen))
    if json:
        print(text.dumps(seen.record(), ensure_ascii=False))
        return
    show(seen, Console())
    if out is not None:
        print(out)
