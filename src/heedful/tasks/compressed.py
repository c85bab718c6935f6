"""`heedful compress`, put together: cut, look at what was lost, take less where it was too much, and write a model that anyone opens."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from torch import Tensor, nn

from heedful import atomic
from heedful.data.tokens import tokenizer_state
from heedful.errors import HeedfulError, Unsupported, UsageError
from heedful.manage.apply.apply import applied
from heedful.manage.plan import Plan
from heedful.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from heedful.models.decoder import Decoder
from heedful.models.encoder import Encoder
from heedful.models.pretrained import is_pretrained
from heedful.models.quantise import quantise
from heedful.spec.classifier import ClassifierSpec
from heedful.tasks.classify.loading import LoadedClassifier, load_classifier
from heedful.tasks.loading import Loaded, load
from heedful.tasks.opened import Opened, opened
from heedful.train.compress.activity import Moments, moments, worths
from heedful.train.compress.choose import Kept, channels_kept, heads_kept
from heedful.train.compress.compared import Lost, Saved, lost, saved
from heedful.train.compress.cut import check, cut
from heedful.train.compress.cutting import Cutting, ladder
from heedful.train.compress.gates import Gating, gated_channels
from heedful.train.compress.layer import Layer, layers_of
from heedful.train.compress.planned import Who, carried, heads_of_plan
from heedful.train.run import Run

if TYPE_CHECKING:
    from heedful.train.compress.pretrained import Anatomy

VERSION = 1
BESIDE = ("compression.json", "plan.json")  # what stands in the folder beside the run
BATCH, BATCHES, LONGEST = 8, 8, 1024


@dataclass(frozen=True, eq=False)
class Known:
    """What was learnt about a model before anything is cut: its layers, what each unit is worth, and what enters its maps."""

    layers: tuple[Layer, ...]
    heads: list[Tensor] | None
    channels: list[Tensor] | None
    seen: dict[str, Moments]
    anatomy: Anatomy | None = None


@dataclass(frozen=True, eq=False)
class Compressed:
    """What came of it: sizes, what each stage lost on the test text, what it saves, and where it lies."""

    out: Path
    sizes: str
    stages: dict[str, Lost]
    saved: Saved
    rounds: int

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        kept = {"version": VERSION, "out": str(self.out), "sizes": self.sizes, "rounds": self.rounds, "saved": self.saved.record()}
        return kept | {"lost": {name: each.record() for name, each in self.stages.items()}}


def compressed(target: str, cutting: Cutting, out: Path, data: str | None, length: int | None, overwrite: bool = False) -> Compressed:
    """Compress a run of ours or a Hugging Face model into the folder `out`."""
    path = Path(target).expanduser()
    ours = run_of(path) if path.exists() and not is_pretrained(path) else None
    if ours is None:
        refuse_folder(out, overwrite)
    elif not overwrite:
        Run(out).make_room(overwrite=False)
    size = length if ours is None else length or min(ours.model.context, LONGEST)
    found = opened(target, data, size, BATCH, BATCHES)
    plan = None if cutting.plan is None else Plan.load(cutting.plan)
    if plan is not None:
        plan.refuse(found.model)
    known, console = whole(found.model, cutting), Console(stderr=True)
    console.print(found.sizes(), highlight=False, soft_wrap=True)
    known = learnt(found, known, cutting, console)
    small, chosen, rounds = fitted(found, known, cutting, plan, console)
    return finished(found, small, chosen, Goal(cutting, plan, out, overwrite, rounds, ours), console)


def run_of(path: Path) -> Loaded | LoadedClassifier:
    """A run of ours, of either kind."""
    spec = load_checkpoint(path).spec if path.is_file() else Run.open(path).spec
    return load_classifier(path) if isinstance(spec.model, ClassifierSpec) else load(path)


def learnt(found: Opened, known: Known, cutting: Cutting, console: Console) -> Known:
    """Passes over the calibration text: the moments, and the worth of every head and channel that may go."""
    model, batches = found.model, found.parts.calibrate
    if not (cutting.heads or cutting.channels or cutting.plan):
        return known
    outs, downs = [layer.out for layer in known.layers], [layer.down for layer in known.layers]
    maps = [*(outs if cutting.heads or cutting.plan else []), *(downs if cutting.channels else [])]
    seen = moments(model, maps, batches)
    cuts = {layer.out: layer.d for layer in known.layers if cutting.heads}
    cuts |= {layer.down: 1 for layer in known.layers if cutting.channels and cutting.gates is None}
    worth = worths(model, cuts, seen, batches) if cuts else {}
    if cutting.gates is not None:
        worth |= opened_gates(found, known, cutting.gating, console)
    heads = [worth[name] for name in outs] if cutting.heads else None
    channels = [worth[name] for name in downs] if cutting.channels else None
    return replace(known, heads=heads, channels=channels, seen=seen)


def whole(model: nn.Module, cutting: Cutting) -> Known:
    """The layers of a model, nothing measured; `Unsupported` for what can be known to fail before anything is."""
    if isinstance(model, Decoder | Encoder):
        check(model, heads=cutting.heads is not None or cutting.plan is not None)
        return Known(layers_of(model), None, None, {})
    from heedful.train.compress.pretrained import anatomy

    if cutting.int8:
        raise Unsupported(
            "--int8 is for models of ours; transformers keeps its own in eight bits by TorchAoConfig: without --int8 would work"
        )
    if cutting.plan is not None:
        raise Unsupported("--plan is for models of ours: `heedful apply` makes a Hugging Face model of a plan, dropped heads cut out")
    found = anatomy(model)
    if cutting.heads is not None and found.refusal:
        raise Unsupported(found.refusal)
    return Known(found.layers, None, None, {}, found)


def opened_gates(found: Opened, known: Known, gating: Gating, console: Console) -> dict[str, Tensor]:
    """How far learned gates leave each channel open."""
    from heedful.manage.watch import sites

    def told(step: int, nats: float, opened: float) -> None:
        if step == 1 or step % 20 == 0 or step == gating.steps:
            console.print(f"gates, step {step} of {gating.steps}: loss {nats:.4f}, open {opened:.1%}", highlight=False)

    widths = {layer.down: layer.channels for layer in known.layers}
    causal = all(site.causal for site in sites(found.model))
    return gated_channels(found.model, widths, found.parts.calibrate, gating, causal=causal, told=told)


def fitted(found: Opened, known: Known, cutting: Cutting, plan: Plan | None, console: Console) -> tuple[nn.Module, list[Kept], int]:
    """The smallest model of those tried whose bound on the selection text is within epsilon; the first, where none is asked for."""
    for number, shares in enumerate(ladder(cutting)):
        chosen = chosen_of(known, shares, plan)
        small = cut_of(found.model, known, chosen, cutting.refit)
        if cutting.epsilon is None:
            return small, chosen, number
        within = planned(small, plan, chosen)
        last = lost(found.model, narrowed(small, cutting.int8), found.parts.select, within=within)
        fits = last.bound.upper <= cutting.epsilon
        said = ", ".join(f"{name} {share:.0%}" for name, share in (("heads", shares.heads), ("channels", shares.channels)) if share)
        console.print(f"{said or 'as asked'}: {last.line()}{'' if fits else f' > {cutting.epsilon:g}'}", highlight=False, soft_wrap=True)
        if fits:
            return small, chosen, number
    raise HeedfulError(
        f"too much is lost: the 95% bound is {last.bound.upper:+.4f} nats, --epsilon {cutting.epsilon:g}; nothing was written"
    )


def chosen_of(known: Known, cutting: Cutting, plan: Plan | None) -> list[Kept]:
    """Who stays."""
    alike = known.anatomy is not None
    everyone: list[Who] = [(list(range(layer.heads)), list(range(layer.kv_heads))) for layer in known.layers]
    heads = everyone
    if plan is not None:
        heads = heads_of_plan(plan, known.layers)
    elif known.heads is not None and cutting.heads is not None:
        heads = heads_kept(known.layers, known.heads, cutting.heads, alike)
    channels = [list(range(layer.channels)) for layer in known.layers]
    if known.channels is not None and cutting.channels is not None:
        channels = channels_kept(known.channels, cutting.channels, alike)
    return [Kept(tuple(who), tuple(groups), tuple(inner)) for (who, groups), inner in zip(heads, channels, strict=True)]


def cut_of(model: nn.Module, known: Known, chosen: Sequence[Kept], refit: bool) -> nn.Module:
    """The smaller model; a copy where nothing is cut."""
    seen = known.seen if refit else {}
    if isinstance(model, Decoder | Encoder):
        return cut(model, chosen, seen)
    from heedful.train.compress.pretrained import cut_pretrained

    assert known.anatomy is not None
    return cut_pretrained(model, known.anatomy, chosen, seen)  # type: ignore[arg-type]


def narrowed(small: nn.Module, int8: bool) -> nn.Module:
    """A copy in eight bits, if that is wanted."""
    return quantise(copy.deepcopy(small)) if int8 else small


def planned(small: nn.Module, plan: Plan | None, chosen: Sequence[Kept]) -> Callable[[], AbstractContextManager[object]]:
    """The switch under which the smaller model runs: what the plan says of the heads that stayed."""
    if plan is None:
        return nullcontext
    mine = carried(plan, [each.heads for each in chosen], small)
    return lambda: applied(small, mine)


@dataclass(frozen=True, eq=False)
class Goal:
    """Where the result goes, and what it must hold to."""

    cutting: Cutting
    plan: Plan | None
    out: Path
    overwrite: bool
    rounds: int
    ours: Loaded | LoadedClassifier | None


def finished(found: Opened, small: nn.Module, chosen: list[Kept], goal: Goal, console: Console) -> Compressed:
    """The last judgement, on text that nothing was chosen by; then the folder."""
    cutting, test = goal.cutting, found.parts.test
    stages: dict[str, Lost] = {}
    if cutting.heads or cutting.channels or goal.plan:
        stages["cut"] = lost(found.model, small, test)
    final = narrowed(small, cutting.int8)
    if cutting.int8:
        stages["int8"] = lost(found.model, final, test)
    within = planned(final, goal.plan, chosen)
    if goal.plan is not None:
        stages["plan"] = lost(found.model, final, test, within=within)
    last = list(stages.values())[-1]
    gain = saved(found.model, final, next(iter(test)), within=within)
    for name, each in stages.items():
        console.print(f"{name}: {each.line()}", highlight=False, soft_wrap=True)
    console.print(gain.line(), highlight=False, soft_wrap=True)
    if cutting.epsilon is not None and last.bound.upper > cutting.epsilon:
        raise HeedfulError(
            f"on the test text the 95% bound is {last.bound.upper:+.4f} nats, --epsilon {cutting.epsilon:g}; nothing was written"
        )
    result = Compressed(goal.out, sizes_of(chosen, cutting), stages, gain, goal.rounds)
    write(final, goal, found, last)
    if goal.plan is not None:
        carried(goal.plan, [each.heads for each in chosen], final).save(goal.out / "plan.json")
    atomic.write(goal.out / "compression.json", json.dumps(result.record(), indent=2) + "\n")
    return result


def write(final: nn.Module, goal: Goal, found: Opened, last: Lost) -> None:
    """A run's folder, or a Hugging Face model's."""
    if goal.ours is None:
        final.save_pretrained(goal.out)  # type: ignore[operator]
        found.tokenizer.save_pretrained(goal.out)
        return
    assert isinstance(final, Decoder | Encoder)
    kind: Literal["float", "int8"] = "int8" if goal.cutting.int8 else "float"
    spec = replace(goal.ours.spec, model=replace(final.spec, weights=kind))
    for name in BESIDE:
        (goal.out / name).unlink(missing_ok=True)
    run = Run.create(goal.out, spec, goal.ours.tokenizer, goal.overwrite)
    notes = {"compressed": str(goal.ours.run.path), "difference": last.mean}
    save_checkpoint(run.best_path, Checkpoint(final.state_dict(), spec, tokenizer_state(goal.ours.tokenizer), 0, notes))


def refuse_folder(out: Path, overwrite: bool) -> None:
    """A folder in use is not written to."""
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not overwrite):
        raise UsageError(f"{out}: holds something already: a new folder, or --overwrite, would work")


def sizes_of(chosen: Sequence[Kept], cutting: Cutting) -> str:
    """What stayed of each layer, in words."""
    heads, channels = (", ".join(str(len(each)) for each in row) for row in ([k.heads for k in chosen], [k.channels for k in chosen]))
    return f"heads {heads}; channels {channels}{'; int8' if cutting.int8 else ''}"
