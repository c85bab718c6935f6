"""`heedful adapt`, put together: a model, text to learn from, a method, and what came of it on text that it never saw."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch
from rich.console import Console
from torch import Tensor, nn

from heedful import atomic
from heedful.data.sources import load_corpus
from heedful.data.text import Corpus
from heedful.data.tokens import tokenizer_state
from heedful.errors import Unsupported, UsageError
from heedful.layers.adapters.insert import insert
from heedful.manage.allocate.joint import assignment
from heedful.manage.apply.apply import applied
from heedful.manage.objective import Batch, model_hash
from heedful.manage.plan import Plan
from heedful.manage.simulate import simulated
from heedful.models.checkpoint import Checkpoint, save_checkpoint
from heedful.models.decoder import Decoder
from heedful.models.pretrained import is_pretrained, open_pretrained
from heedful.spec.adapter import AdapterSpec
from heedful.spec.data import DataSpec
from heedful.tasks.loading import Loaded, load
from heedful.tasks.parts import Cut, Part, Parts, divided, windows
from heedful.tasks.sequences import LONGEST, Reader, longest_of, next_token, reader_of
from heedful.train.adapt import lora, pretrained
from heedful.train.adapt.distil import distilling
from heedful.train.adapt.files import save_adapter
from heedful.train.adapt.learn import Learnt, Lessons, learn, teacher_of
from heedful.train.compress.compared import Lost, lost
from heedful.train.compress.planned import carried
from heedful.train.progress import Bar
from heedful.train.run import Run

Method = Literal["lora", "prefix", "bottleneck"]
Switch = Callable[[], AbstractContextManager[object]]
VERSION = 1
BATCHES = 8  # of each part that is judged on
BESIDE = ("adaptation.json", "plan.json", "adapter.safetensors")


@dataclass(frozen=True)
class Adapting:
    """What is learnt how: the method and its size (rank, keys or units), how long, from which teacher, under which plan."""

    method: Method = "lora"
    size: int = 8
    lessons: Lessons = field(default_factory=Lessons)
    batch: int = 8
    distil: bool = False
    teacher: str | None = None
    plan: Path | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < 1 or self.batch < 1:
            raise UsageError(f"--size is {self.size} and --batch {self.batch}: both must be 1 or more")
        if self.distil and self.plan is None and self.teacher is None:
            raise UsageError("--distil learns from the model without its plan, or from another: --plan FILE or --teacher MODEL beside it")
        if self.teacher is not None and not self.distil:
            raise UsageError("--teacher is whom --distil learns from: --distil beside it")
        if self.plan is not None and self.method == "prefix":
            raise UsageError("a planned layer takes no prefix: --method lora or bottleneck would work beside --plan")


@dataclass(frozen=True, eq=False)
class Source:
    """A model and the text it is to learn from and to be judged on; `ours` where it is a run of ours."""

    name: str
    model: nn.Module
    tokenizer: Any
    lessons: Part
    parts: Parts
    length: int
    ours: Loaded | None

    def batches(self, size: int, seed: int) -> Iterator[Batch]:
        """Batches of the training text without end, in an order drawn anew each time through."""
        chance, rows = torch.Generator().manual_seed(seed), self.lessons.rows
        while True:
            order = torch.randperm(len(rows), generator=chance).tolist()
            for start in range(0, max(1, len(rows) - size + 1), size):
                yield next(iter(replace(self.lessons, rows=tuple(rows[i] for i in order[start : start + size]), batch=size)))


@dataclass(frozen=True, eq=False)
class Adapted:
    """What came of it: the training, and on the test text what is lost before and after (less than nothing: gained).

    Beside the model as it was, or beside the teacher where one is learnt from.
    """

    out: Path
    learnt: Learnt
    before: Lost
    after: Lost
    trained: int

    def lines(self) -> list[str]:
        """In words."""
        ended = ", ended by Ctrl-C" if self.learnt.stopped else ""
        return [
            f"{self.trained:,} numbers learnt: {self.learnt.before:.4f} -> {self.learnt.best:.4f} at step {self.learnt.step}{ended}",
            f"before: {self.before.line()}",
            f"after:  {self.after.line()}",
        ]

    def record(self) -> dict[str, Any]:
        """As JSON data."""
        ended = {
            "trained": self.trained,
            "step": self.learnt.step,
            "aim": [self.learnt.before, self.learnt.best],
            "stopped": self.learnt.stopped,
        }
        return {"version": VERSION, "out": str(self.out), **ended, "before": self.before.record(), "after": self.after.record()}


def adapted(target: str, adapting: Adapting, out: Path, data: str | None, length: int | None, overwrite: bool = False) -> Adapted:
    """Adapt a run of ours or a Hugging Face model into the folder `out`."""
    check_room(out, overwrite, target)
    torch.manual_seed(adapting.seed)
    source = source_of(target, data, length, adapting.batch)
    console, model = Console(stderr=True), source.model
    plan = None if adapting.plan is None else Plan.load(adapting.plan)
    if plan is not None:
        plan.refuse(model)
    dense = teacher_of(model)
    teacher = dense if adapting.teacher is None else source_of(adapting.teacher, data, length, adapting.batch).model
    beside_whom = teacher if adapting.distil else dense
    before = lost(beside_whom, model, source.parts.test, within=under(model, plan))
    console.print(f"{source.name}: before {before.line()}", highlight=False, soft_wrap=True)
    held = beside(model, adapting)
    learnt = learn(
        held.model,
        held.parameters,
        lambda: source.batches(adapting.batch, adapting.seed),
        source.parts.select,
        adapting.lessons,
        aim=distilling(teacher) if adapting.distil else None,
        within=nullcontext if plan is None else lambda: simulated(model, assignment(plan.choices)),
        report=Bar(console),
    )
    final = held.finish()
    kept = None if plan is None else carried(plan, [range(site.heads) for site in plan.sites], final)
    after = lost(beside_whom, final, source.parts.test, within=under(final, kept))
    found = Adapted(out, learnt, before, after, sum(each.numel() for each in held.parameters))
    write(final, held, source, adapting, out, overwrite)
    if kept is not None:
        kept.save(out / "plan.json")
    atomic.write(out / "adaptation.json", json.dumps(found.record(), indent=2) + "\n")
    for line in found.lines():
        console.print(line, highlight=False, soft_wrap=True)
    return found


def under(model: nn.Module, plan: Plan | None) -> Switch:
    """The switch under which a plan holds."""
    return nullcontext if plan is None else lambda: applied(model, plan)


def source_of(target: str, data: str | None, length: int | None, batch: int) -> Source:
    """The model that `target` names, with training text, and held-out text in parts."""
    path = Path(target).expanduser()
    if path.exists() and not is_pretrained(path):
        return of_ours(load(path), data, length, batch)
    if data is None:
        raise UsageError(f"{target} is no run of ours and has no text of its own: --data names what it learns from")
    found = open_pretrained(target)
    if found.kind == "classifier":
        raise Unsupported(f"{target}: classifies, and heedful adapt is for language models: a causal or masked one would work")
    size = length or min(longest_of(found) or LONGEST, LONGEST)
    reader, corpus = reader_of(found, size), load_corpus(DataSpec(source=data))
    cut = Cut(size, batch, BATCHES, found.model.device)
    return Source(found.name, found.model, found.tokenizer, lessons_of(corpus, reader, cut), divided(corpus, reader, cut), size, None)


def of_ours(loaded: Loaded, data: str | None, length: int | None, batch: int) -> Source:
    """A run of ours; the run's own text unless another is named."""
    size = min(length or min(loaded.model.context, LONGEST), loaded.model.limit or 1 << 30)
    corpus = loaded.corpus(data)
    reader, cut = Reader(loaded.tokenizer.encode, next_token, size + 1, size), Cut(size, batch, BATCHES, loaded.device)
    parts = divided(corpus, reader, cut)
    return Source(str(loaded.run.path), loaded.model, loaded.tokenizer, lessons_of(corpus, reader, cut), parts, size, loaded)


def lessons_of(corpus: Corpus, reader: Reader, cut: Cut) -> Part:
    """The windows of the training text."""
    rows = tuple(reader.row(window) for window in windows(reader.encode(corpus.train), reader))
    if not rows:
        raise UsageError(f"the training text of {corpus.name} has not one window of {cut.length} tokens: a shorter --length would work")
    return Part(rows, cut.batch, cut.device)


@dataclass(frozen=True, eq=False)
class Held:
    """A model with an adapter beside it: what is called in training, what learns, and what makes the final model."""

    model: nn.Module
    parameters: list[nn.Parameter]
    finish: Callable[[], nn.Module]
    base: str


def beside(model: nn.Module, adapting: Adapting) -> Held:
    """The adapter of a method."""
    base, size = model_hash(model), adapting.size
    if adapting.method == "lora":
        lora.lora(model, size)
        return Held(model, lora.learning(model), lambda: lora.merged(model).eval(), base)
    if isinstance(model, Decoder):
        return Held(model, insert(model, AdapterSpec(adapting.method, size)), model.eval, base)
    if adapting.method == "prefix":
        peft = pretrained.prefix(model, size)
        return Held(peft, [each for each in peft.parameters() if each.requires_grad], peft.eval, base)
    return Held(model, pretrained.insert_bottleneck(model, size), model.eval, base)


def write(final: nn.Module, held: Held, source: Source, adapting: Adapting, out: Path, overwrite: bool) -> None:
    """A run of ours, a Hugging Face model, or the files of an adapter that stands beside one."""
    if source.ours is None:
        saved(final, held, source, adapting, out)
        return
    assert isinstance(final, Decoder)
    spec = source.ours.spec
    if adapting.method != "lora":
        spec = replace(spec, model=replace(final.spec, adapter=AdapterSpec(adapting.method, adapting.size)))
    for name in BESIDE:
        (out / name).unlink(missing_ok=True)
    run = Run.create(out, spec, source.ours.tokenizer, overwrite)
    save_checkpoint(
        run.best_path, Checkpoint(final.state_dict(), spec, tokenizer_state(source.ours.tokenizer), 0, {"adapted": source.name})
    )
    if adapting.method != "lora":
        save_adapter(out / "adapter.safetensors", AdapterSpec(adapting.method, adapting.size), tensors_of(final), held.base)


def saved(final: nn.Module, held: Held, source: Source, adapting: Adapting, out: Path) -> None:
    """What a Hugging Face model leaves: itself where the change is merged, the adapter's own files otherwise."""
    if adapting.method == "bottleneck":
        save_adapter(out / "adapter.safetensors", AdapterSpec("bottleneck", adapting.size), pretrained.adapter_tensors(final), held.base)
        return
    final.save_pretrained(out)  # type: ignore[operator]
    if source.tokenizer is not None:
        source.tokenizer.save_pretrained(out)


def tensors_of(model: nn.Module) -> dict[str, Tensor]:
    """The adapters' tensors by name."""
    return {name: tensor for name, tensor in model.state_dict().items() if ".prefix." in name or ".adapter." in name}


def check_room(out: Path, overwrite: bool, target: str) -> None:
    """A folder in use is not written to, and never the one that is read."""
    if out.resolve() == Path(target).expanduser().resolve():
        raise UsageError(f"--out {out} is the model itself: another folder would work")
    if out.is_file() or (out.is_dir() and any(out.iterdir()) and not overwrite):
        raise UsageError(f"{out}: holds something already: a new folder, or --overwrite, would work")
