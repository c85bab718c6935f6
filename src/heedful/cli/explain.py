"""`heedful explain`: where a run looked for each token it made."""

from __future__ import annotations

import json as text
from pathlib import Path
from typing import Annotated

from heedful.cli.options import ENDING, FLAT, SAMPLING, VIEW, Json, use_threads
from heedful.spec.generation import Ending, Sampling
from heedful.tasks.task import Asked, View


def explain(
    run: Path,
    input: str = "",
    /,
    *,
    out: Path | None = None,
    view: Annotated[View, FLAT] = VIEW,
    sampling: Annotated[Sampling, FLAT] = SAMPLING,
    ending: Annotated[Ending, FLAT] = ENDING,
    seed: int = 0,
    json: Json = False,
    threads: int | None = None,
) -> None:
    """Continue a text and show, for each new token, where the model looked.

    Arguments:
        run: a folder that `heedful train` wrote, or one of its checkpoints.
        input: the text to continue.
        out: write a self-contained HTML page here.
        seed: the same seed gives the same text.
        json: an object on standard output; the default where no page is asked for.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.explanations.page import write
    from heedful.tasks.table import task_of

    use_threads(threads)
    found = task_of(run).explain(run, input, Asked(sampling, ending, seed), view)
    if out is not None:
        write(out, found.page)
    if json or out is None:
        print(text.dumps(found.record, ensure_ascii=False))
    else:
        print(out)
