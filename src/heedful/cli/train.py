"""`heedful train`: a new run, or one that goes on."""

from __future__ import annotations

from pathlib import Path

from heedful.cli.allocator import keep_memory
from heedful.cli.options import Flag, Words, use_threads


def train(
    task: str,
    /,
    *,
    data: str | None = None,
    config: str | None = None,
    set: Words = [],  # noqa: B006
    model: str | None = None,
    out: Path | None = None,
    resume: Flag = False,
    overwrite: Flag = False,
    seed: int | None = None,
    budget: float | None = None,
    threads: int | None = None,
) -> None:
    """Train a model, a summary of it first; Ctrl-C leaves a run that --resume continues.

    Arguments:
        task: generate, classify, translate, summarise, match, image, recommend, caption or speech.
        data: a text file (.gz too) or a folder of them; a table of texts with their classes, or of users and items;
            a folder of pictures by class, or with captions; a set under $HEEDFUL_DATA; python-reference.
        config: a YAML file, or the name of a preset.
        set: change one field, for example model.width=128; may be given several times.
        model: the kind of model in place of the configuration's, or hf:PATH, a Hugging Face encoder to be classified with.
        out: the run's folder; runs/TASK if not given.
        resume: go on with the run in that folder.
        overwrite: begin anew in a folder that holds a run.
        seed: of weights, batches and dropout.
        budget: the share of attention, up to 1, that learning spends on average: gates and learned spans pay for more, and a model
            with neither learns under windows that grow.
        threads: of the processor; torch's choice if not given.
    """
    from heedful.cli.config import settled
    from heedful.tasks.table import find_task
    from heedful.tasks.task import Start

    use_threads(threads)
    keep_memory()
    found = find_task(task)
    start = Start(out or Path("runs", task), resume, overwrite)
    changes = named_model(model) + changed(set, data, seed, threads, budget)
    if resume:
        refuse_new(config, data, overwrite, model)
        found.resume(start, changes)
    else:
        found.train(settled(task, config, changes), start)


def changed(settings: list[str], data: str | None, seed: int | None, threads: int | None, budget: float | None = None) -> list[str]:
    """The settings that were written out, and those that have an option of their own."""
    import json

    given = {"data.source": data, "train.seed": seed, "train.budget": budget, "train.threads": threads}
    return settings + [f"{field}={json.dumps(value)}" for field, value in given.items() if value is not None]


def named_model(model: str | None) -> list[str]:
    """The settings that a model's name stands for."""
    import json

    if model is None:
        return []
    if model.startswith("hf:"):
        return ["model.kind=pretrained", f"model.path={json.dumps(model)}"]
    return [f"model.kind={model}"]


def refuse_new(config: str | None, data: str | None, overwrite: bool, model: str | None = None) -> None:
    """What cannot go with --resume."""
    from heedful.errors import UsageError

    for option, given in (("--config", config), ("--data", data), ("--overwrite", overwrite), ("--model", model)):
        if given:
            raise UsageError(
                f"{option} and --resume exclude each other: a run goes on with its own model and data, and --set changes how it is trained"
            )
