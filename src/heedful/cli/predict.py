"""`heedful predict`: what a run makes of its inputs, as it makes it."""

from __future__ import annotations

import json as text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from heedful.cli.options import ENDING, FLAT, HEARING, HYPHENED, SAMPLING, SEARCH, Flag, Json, use_threads
from heedful.spec.generation import Ending, Sampling
from heedful.spec.hearing import Hearing
from heedful.spec.search import Search
from heedful.tasks.task import Asked

if TYPE_CHECKING:
    from heedful.tasks.task import Answer


def predict(
    run: Path,
    /,
    *inputs: Annotated[str, HYPHENED],
    sampling: Annotated[Sampling, FLAT] = SAMPLING,
    ending: Annotated[Ending, FLAT] = ENDING,
    search: Annotated[Search, FLAT] = SEARCH,
    hearing: Annotated[Hearing, FLAT] = HEARING,
    seed: int | None = None,
    abstain: float | None = None,
    question: str | None = None,
    stdin: Flag = False,
    json: Json = False,
    threads: int | None = None,
) -> None:
    """Continue, classify, translate, summarise, describe or write down each input; the text appears as it is made.

    Arguments:
        run: a folder that `heedful train` wrote, or one of its checkpoints.
        inputs: texts, pictures, or recordings (- for a stream of raw sound; of a recommender: the items of a history, or a JSON
            object); none at all is an empty one.
        seed: the same seed gives the same text; the n-th input is drawn from the seed plus n.
        abstain: of a classifier: give no class below this confidence.
        question: asked about each picture, in place of its caption (caption).
        stdin: every line of standard input is an input too.
        json: one JSON object a line instead of text.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.tasks.table import refuse_hearing, refuse_question, refuse_search, task_of

    use_threads(threads)
    task = task_of(run)
    refuse_search(task, search)
    refuse_hearing(task, hearing)
    refuse_question(task, question)
    asked = Asked(sampling, ending, seed, search, abstain=abstain, question=question, hearing=hearing)
    for answer in task.predict(run, given(inputs, stdin), asked):
        if json:
            print(text.dumps(answer.record(), ensure_ascii=False), flush=True)
        else:
            say(answer)


def given(inputs: tuple[str, ...], stdin: bool) -> list[str]:
    """The inputs of the command line, then those of standard input; a hyphen alone is one, an option that is none is refused."""
    from heedful.errors import UsageError

    for word in inputs:
        if word.startswith("-") and word != "-":
            raise UsageError(f"Unknown option: {word}.")
    lines = [line.rstrip("\n") for line in sys.stdin] if stdin else []
    return [*inputs, *lines] or [""]


def say(answer: Answer) -> None:
    """The prompt and its continuation, a piece at a time."""
    print(answer.prompt, end="", flush=True)
    for piece in answer.pieces():
        print(piece, end="", flush=True)
    print()
