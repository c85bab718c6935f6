"""`heedful adapt`: a model fitted to other text, or back to what a plan lost, by few parameters; or to all budgets at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from heedful.cli.adapting import Learning, Leaving, Teaching, Written
from heedful.cli.allocator import keep_memory
from heedful.cli.options import FLAT, use_threads

if TYPE_CHECKING:
    from heedful.tasks.adapted import Adapting

LEARNING, TEACHING, LEAVING = Learning(), Teaching(), Leaving()


def adapt(
    model: str,
    /,
    *,
    written: Annotated[Written, FLAT],
    learning: Annotated[Learning, FLAT] = LEARNING,
    teaching: Annotated[Teaching, FLAT] = TEACHING,
    leaving: Annotated[Leaving, FLAT] = LEAVING,
    threads: int | None = None,
) -> None:
    """Train a few parameters of a model; Ctrl-C ends the training early and keeps what was best.

    Arguments:
        model: a run's folder, or a Hugging Face model's folder or name.
        threads: of the processor; torch's choice if not given.
    """
    import json

    from heedful.errors import UsageError

    use_threads(threads)
    keep_memory()
    if learning.method in ("budget", "exits", "dropping") and (teaching.plan is not None or teaching.teacher is not None):
        raise UsageError(f"--method {learning.method} starts from the model as it was: without --plan and --teacher would work")
    record = done(model, written, learning, teaching, leaving)
    if written.json:
        print(json.dumps(record, indent=2))
    else:
        print(f"saved in {written.out}; the figures are in {written.out / 'adaptation.json'}")


def done(model: str, written: Written, learning: Learning, teaching: Teaching, leaving: Leaving) -> dict[str, Any]:
    """What a method found, as JSON data."""
    from heedful.tasks.adapted import adapted
    from heedful.tasks.budgeted import budgeted
    from heedful.tasks.hurried import hurried
    from heedful.tasks.leaving import Asked
    from heedful.tasks.shortened import shortened

    out, data, length, overwrite = written.out, learning.data, learning.length, written.overwrite
    if learning.method in ("exits", "dropping"):
        asked = Asked(out, leaving.layers(), leaving.epsilon, data, length, overwrite, leaving.slower)
        if learning.method == "dropping":
            return shortened(model, asked).record()
        return hurried(model, asked_for(learning), asked).record()
    if learning.method == "budget":
        return budgeted(model, asked_for(learning), leaving.shares(), out, data, length, overwrite, teaching.distil).record()
    return adapted(model, asked_for(learning, teaching), out, data, length, overwrite).record()


def asked_for(learning: Learning, teaching: Teaching | None = None) -> Adapting:
    """The training that was asked for; of a method that has one of its own, the rest of it."""
    from heedful.tasks.adapted import Adapting
    from heedful.train.adapt.learn import Lessons

    lessons = Lessons(learning.steps, learning.peak)
    if teaching is None or learning.method == "budget" or learning.method == "exits" or learning.method == "dropping":
        return Adapting("lora", learning.size, lessons, learning.batch, seed=learning.seed)
    how = teaching.distil, teaching.teacher, teaching.plan
    return Adapting(learning.method, learning.size, lessons, learning.batch, *how, learning.seed)
