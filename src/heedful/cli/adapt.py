"""`heedful adapt`: a model fitted to other text, or back to what a plan lost, by few parameters; or to all budgets at once."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from heedful.cli.allocator import keep_memory
from heedful.cli.options import Flag, Json, use_threads

Method = Literal["lora", "prefix", "bottleneck", "budget", "exits", "dropping"]
RATES = {"lora": 1e-3, "prefix": 3e-2, "bottleneck": 1e-3, "budget": 5e-4, "exits": 3e-3, "dropping": 0.0}


def adapt(
    model: str,
    /,
    *,
    out: Path,
    data: str | None = None,
    method: Method = "lora",
    size: int = 8,
    steps: int = 200,
    rate: float | None = None,
    batch: int = 8,
    length: int | None = None,
    plan: Path | None = None,
    distil: Flag = False,
    teacher: str | None = None,
    budgets: str = "0.75,0.5,0.25",
    after: str | None = None,
    epsilon: float = 0.01,
    overwrite: Flag = False,
    seed: int = 0,
    threads: int | None = None,
    json: Json = False,
) -> None:
    """Train a few parameters of a model; Ctrl-C ends the training early and keeps what was best.

    Arguments:
        model: a run's folder, or a Hugging Face model's folder or name.
        out: the folder of the adapted model; of prefix and bottleneck of a Hugging Face model, of the adapter alone.
        data: the text to learn from, its held-out parts to be judged on; the run's own if not given.
        method: lora (merged into the weights), prefix, bottleneck (both stay beside them), or budget: all weights, with
            budgets of heads drawn at random, and a plan for each of --budgets; exits: tokens leave early where the model is
            sure; or dropping, for classifiers: the tokens that are attended to most go on (nothing is trained for this one).
        size: LoRA's rank, a prefix's keys, a bottleneck's units.
        steps: of the optimiser.
        rate: its peak; 1e-3 if not given, 3e-2 for prefix, 5e-4 for budget, 3e-3 for exits.
        batch: sequences a step.
        length: tokens of a sequence; the model's context, 1,024 at most, if not given.
        plan: learn under this plan; OUT/plan.json is the same for the adapted model.
        distil: learn what the model says without its plan (or --teacher says), in place of the text itself.
        teacher: another model of the same vocabulary, such as the run that this one was compressed from.
        budgets: shares of the heads, for the method budget.
        after: the layers after which tokens leave, for exits and dropping; a quarter, a half (and three quarters) if not given.
        epsilon: the most nats a token (a text) that exits or dropping may lose, by the 95% bound.
        overwrite: write into a folder that holds something.
        seed: of batches and new parameters.
        threads: of the processor; torch's choice if not given.
        json: what was found as an object.
    """
    import json as text

    from heedful.errors import UsageError
    from heedful.tasks.adapted import Adapting, adapted
    from heedful.tasks.budgeted import budgeted
    from heedful.tasks.hurried import hurried
    from heedful.tasks.shortened import shortened
    from heedful.train.adapt.learn import Lessons

    use_threads(threads)
    keep_memory()
    if method in ("budget", "exits", "dropping") and (plan is not None or teacher is not None):
        raise UsageError(f"--method {method} starts from the model as it was: without --plan and --teacher would work")
    if method == "exits":
        asked = Adapting("lora", size, Lessons(steps, rate or RATES[method]), batch, seed=seed)
        record = hurried(model, asked, layers(after), epsilon, out, data, length, overwrite).record()
    elif method == "dropping":
        record = shortened(model, layers(after), epsilon, out, data, length, overwrite).record()
    elif method == "budget":
        asked = Adapting("lora", size, Lessons(steps, rate or RATES[method]), batch, seed=seed)
        record = budgeted(model, asked, shares(budgets), out, data, length, overwrite, distil).record()
    else:
        asked = Adapting(method, size, Lessons(steps, rate or RATES[method]), batch, distil, teacher, plan, seed)
        record = adapted(model, asked, out, data, length, overwrite).record()
    if json:
        print(text.dumps(record, indent=2))
    else:
        print(f"saved in {out}; the figures are in {out / 'adaptation.json'}")


def shares(text: str) -> list[float]:
    """Numbers with commas between them."""
    from heedful.errors import UsageError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--budgets {text!r}: shares of the heads with commas between them, such as 0.75,0.5,0.25, would work") from None


def layers(text: str | None) -> list[int] | None:
    """Layers with commas between them."""
    from heedful.errors import UsageError

    try:
        return None if text is None else [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--after {text!r}: layers with commas between them, such as 2,4,6, would work") from None
