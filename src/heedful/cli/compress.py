"""`heedful compress`: a model with fewer heads and channels, and weights in eight bits, and what that lost and saved."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from heedful.cli.allocator import keep_memory
from heedful.cli.options import Flag, Json, use_threads


def compress(
    model: str,
    /,
    *,
    out: Path,
    heads: float | None = None,
    channels: float | None = None,
    gates: Literal["se"] | None = None,
    gate_steps: int = 100,
    int8: Flag = False,
    plan: Path | None = None,
    no_refit: Flag = False,
    epsilon: float | None = None,
    data: str | None = None,
    length: int | None = None,
    overwrite: Flag = False,
    seed: int = 0,
    threads: int | None = None,
    json: Json = False,
) -> None:
    """Cut out what is worth least, measure what that lost and saved, and write a model that opens like any other.

    Arguments:
        model: a run's folder, or a Hugging Face model's folder or name.
        out: the folder of the smaller model.
        heads: the share of the heads that stays, for example 0.5.
        channels: the share of the channels inside the feed-forward parts that stays.
        gates: choose the channels by gates that learn to close, in place of the Fisher-weighted loss.
        gate_steps: how long these gates learn.
        int8: weights in eight bits.
        plan: a plan for this model; the heads it drops are cut out, and the rest of it is written to OUT/plan.json.
        no_refit: leave the remaining columns as they are, in place of fitting them to what the others gave.
        epsilon: the most nats a token that may be lost, by the 95% bound; more of the model stays until it holds.
        data: other text than the run's own; a Hugging Face model needs some.
        length: tokens of a sequence; the model's context, 1,024 at most, if not given.
        overwrite: write into a folder that holds a run or model.
        seed: of the gates.
        threads: of the processor; torch's choice if not given.
        json: what was found as an object.
    """
    import json as text

    from heedful.errors import UsageError
    from heedful.tasks.compressed import compressed
    from heedful.train.compress.cutting import Cutting
    from heedful.train.compress.gates import Gating

    use_threads(threads)
    keep_memory()
    if gate_steps < 1:
        raise UsageError(f"--gate-steps is {gate_steps}: it must be 1 or more")
    cutting = Cutting(heads, channels, gates, int8, not no_refit, epsilon, plan, Gating(steps=gate_steps, seed=seed))
    found = compressed(model, cutting, out, data, length, overwrite)
    if json:
        print(text.dumps(found.record(), indent=2))
    else:
        print(f"{found.sizes}\nsaved in {out}: heedful evaluate {out}; the figures are in {out / 'compression.json'}")
