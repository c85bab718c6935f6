"""`heedful explain`: why a run answers as it does, and which method of saying so holds for it."""

from __future__ import annotations

import json as text
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from heedful.cli.options import ENDING, FLAT, SAMPLING, SEARCH, VIEW, Flag, Json, use_threads
from heedful.spec.generation import Ending, Sampling
from heedful.spec.search import Search
from heedful.tasks.explained.asking import ASKING, Asking
from heedful.tasks.task import Asked, View

if TYPE_CHECKING:
    from heedful.tasks.task import Explanation


def explain(
    run: Path,
    input: str = "",
    /,
    *,
    out: Path | None = None,
    png: Path | None = None,
    svg: Path | None = None,
    view: Annotated[View, FLAT] = VIEW,
    compare: Flag = False,
    asking: Annotated[Asking, FLAT] = ASKING,
    sampling: Annotated[Sampling, FLAT] = SAMPLING,
    ending: Annotated[Ending, FLAT] = ENDING,
    search: Annotated[Search, FLAT] = SEARCH,
    seed: int = 0,
    question: str | None = None,
    json: Json = False,
    threads: int | None = None,
) -> None:
    """Say what an answer of a run rests on; or --compare the methods of saying so, and keep the best as the run's default.

    Arguments:
        run: a folder that `heedful train` wrote, or one of its checkpoints.
        input: a text to classify, to translate, to summarise or to continue; a picture.
        out: write a self-contained HTML page here.
        png: write a figure here.
        svg: write a figure here.
        compare: measure every method on the run's own texts beside chance; also written to RUN/explain.json.
        seed: the same seed gives the same text.
        question: asked about the picture, in place of its caption (caption).
        json: an object on standard output; the default where nothing is to be written.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.tasks.table import refuse_question, refuse_search, task_of

    use_threads(threads)
    task = task_of(run)
    refuse_search(task, search)
    refuse_question(task, question)
    if compare:
        from heedful.cli.compared import show

        unused(input, (out, png, svg))
        show(task.name, run, asking, json)
        return
    found = task.explain(run, input, Asked(sampling, ending, seed, search, question=question), view)
    written = [*paged(found, out), *drawn(found, (png, svg))]
    if json or not written:
        print(text.dumps(found.record, ensure_ascii=False))
    else:
        print("\n".join(map(str, written)))


def unused(input: str, paths: tuple[Path | None, ...]) -> None:
    """Refuse what goes with one input where methods are compared on many."""
    from heedful.errors import UsageError

    if input or any(paths):
        raise UsageError(
            "--compare takes the run's own texts, or those of --data, and prints a table: without an input, --out, --png and --svg "
            "it would work"
        )


def paged(found: Explanation, out: Path | None) -> list[Path]:
    """The page, where one is asked for."""
    from heedful.explanations.page import write

    return [] if out is None else [write(out, found.page)]


def drawn(found: Explanation, paths: tuple[Path | None, ...]) -> list[Path]:
    """The figures that are asked for."""
    from heedful.errors import Unsupported

    wanted = [path for path in paths if path is not None]
    if wanted and found.draw is None:
        raise Unsupported("this explanation is a view of weights, and has no figure: --method auto, or --out page.html, would work")
    for path in wanted:
        assert found.draw is not None
        found.draw(path)
    return wanted
