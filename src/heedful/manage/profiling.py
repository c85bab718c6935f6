"""Profiling: what every option would lose at every head of a model, and what it costs, found on some batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from heedful.cost.device import fingerprint
from heedful.errors import UsageError
from heedful.manage.gates.gating import gate_losses
from heedful.manage.hashes import batches_hashes
from heedful.manage.objective import Batch, Loss, model_hash, token_losses
from heedful.manage.options.option import Option, Phase
from heedful.manage.options.table import FULL, default_options, parse
from heedful.manage.prices.prices import prices
from heedful.manage.prices.work import Setting
from heedful.manage.profile import Profile
from heedful.manage.seen import Seen
from heedful.manage.site import Site
from heedful.manage.still import still
from heedful.manage.sweep import Progress, Sweep, split
from heedful.manage.watch import sites, watched

QUERIES = 64


def profile(
    model: nn.Module,
    batches: Iterable[Batch],
    *,
    loss: Loss | None = None,
    options: Sequence[Option | str] | None = None,
    length: int | None = None,
    phase: Phase = "prefill",
    prefill: int | None = None,
    queries: int = QUERIES,
    costs: bool = False,
    name: str = "",
    progress: Progress | None = None,
) -> Profile:
    """What every option would lose at every head, and where attention goes, found on some batches.

    >>> import heedful
    >>> from heedful.models.build import build
    >>> from heedful.spec import DecoderSpec
    >>> model = build(DecoderSpec(vocabulary=11, layers=2, width=16, heads=2))
    >>> found = heedful.profile(model, [{"input_ids": torch.randint(11, (1, 64))}])
    >>> found.losses["fisher"].shape, found.options[:2], found.tokens
    ((4, 6), ('full', 'window(32,4)'), 63)

    Arguments:
        batches: re-iterable, of dicts passed as model(**batch). loss: as `verify` takes it, for models that are not judged by labels.
        options: names or options; by default the ladder for the length.
        length: the length that the options are for; by default that of the longest sequence.
        phase: "prefill" tries options in a pass over the whole; "decode" what caches keep, seen by the queries after `prefill`
            tokens (by default seven eighths of each sequence).
        queries: how many queries of a batch are looked at one by one, for patterns and the estimator `effect`.
        costs: measure what the options take on this machine too, for some seconds.
        progress: called with what is done and what there is to do.

    Raises `UsageError` for batches that can be read only once, for none, and for options that are not known.
    """
    held = read(batches)
    found = sites(model)
    longest = lengths(model, held, loss)
    tried = chosen(options, length or max(longest), phase)
    run = Sweep(found, tried, phase, prefill, queries, progress=progress, total=len(held) * len(found))
    with still(model):
        for batch in held:
            run.batch(model, batch, loss)
        gates = gate_losses(model, held, loss)
    first = next(iter(model.parameters()))
    return Profile(
        model=model_hash(model),
        name=name or type(model).__name__,
        sites=found,
        machine=str(fingerprint(str(first.device))),
        dtype=str(run.type).removeprefix("torch."),
        lengths=tuple(sorted(set(longest))),
        phase=phase,
        options=tuple(option.name for option in tried),
        losses=run.losses(),
        interactions=run.interactions(),
        batches=batches_hashes(held),
        tokens=run.tokens,
        sequences=run.sequences,
        prefill=None if phase == "prefill" else split(max(longest), prefill),
        patterns=run.patterns(),
        gates=gates,
        costs=priced(found, tried, Setting(max(longest), phase, run.type, first.device.type)) if costs else {},
    )


def read(batches: Iterable[Batch]) -> list[Batch]:
    """The batches, which a plan's choice and its check read again."""
    if isinstance(batches, Iterator):
        raise UsageError(
            f"batches are read more than once: found {type(batches).__name__}, which is read only once; list(batches) would work"
        )
    held = list(batches)
    if not held:
        raise UsageError("a profile needs one batch or more: found none")
    return held


def chosen(options: Sequence[Option | str] | None, length: int, phase: Phase) -> tuple[Option, ...]:
    """The options to try, each once and `full` first."""
    given = default_options(length, phase) if options is None else [parse(each) if isinstance(each, str) else each for each in options]
    return tuple(dict.fromkeys((FULL, *given)))


def lengths(model: nn.Module, batches: Sequence[Batch], loss: Loss | None) -> list[int]:
    """How many keys each batch's sites see at most: its tokens, or, where it has none, what the first batch shows."""
    named = [next((batch[name].shape[1] for name in ("input_ids", "ids") if name in batch), None) for batch in batches]
    if all(length is not None for length in named):
        return [int(length) for length in named if length is not None]
    found: list[int] = []

    def note(seen: Seen) -> Tensor:
        found.append(seen.k.shape[2])
        out: Tensor = seen.attend()
        return out

    with still(model), torch.no_grad(), watched(model, note):
        token_losses(model, batches[0], loss)
    return [max(found)] * len(batches)


def priced(found: Sequence[Site], options: Sequence[Option], setting: Setting) -> dict[str, Any]:
    """What the options take, as plain data."""
    return prices(found, options, setting).record()
