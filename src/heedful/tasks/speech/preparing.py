"""From a spec to a job: recordings in 16 bits, their transcripts as tokens, and a model of as many bands and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console
from torch import Tensor

from heedful.cost.summary import ModelCost, short, summarise
from heedful.data.audio.recordings import PARTS, RecordingSet
from heedful.data.audio.rows import SpeechFeed, SpeechRows, speech_rows
from heedful.data.audio.sources import load_speech
from heedful.data.pairs.batches import every
from heedful.data.tokens import Tokenizer, train_tokenizer
from heedful.errors import UsageError
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.checkpoint import fill
from heedful.models.speech.listener import Listener, build_listener, hearing, measured
from heedful.spec.listener import ListenerSpec
from heedful.spec.task import RunSpec
from heedful.tasks.speech.loading import load_listener, speech_of
from heedful.tasks.training import layers_table
from heedful.train.average import average
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.run import Run
from heedful.train.speech import framed, text_of_speech


class Prepared(NamedTuple):
    """A job, and the recordings it was made of."""

    job: Job
    found: RecordingSet

    @property
    def learnt(self) -> SpeechRows:
        """What is learnt from."""
        feed = self.job.feed
        assert isinstance(feed, SpeechFeed)
        return feed.train


def prepared(spec: RunSpec, tokenizer: Tokenizer | None = None) -> Prepared:
    """The recordings, and a model for their tokens; `tokenizer` is the run's own where it goes on.

    Errors: those of data and specs, and `UsageError` for a model that hears nothing, or other bands or tokens than the data has.
    """
    asked, data = hearing(spec.model), speech_of(spec)
    found = load_speech(data)
    begun = None if tokenizer or spec.train.start is None else load_listener(Path(spec.train.start))
    known = begun.tokenizer if begun else tokenizer or tokenizer_of(spec, found)
    model = shaped(asked, spec, known)
    spec = replace(spec, model=model)
    parts = {part: speech_rows(found.part(part), known, model.context) for part in ("train", "validation")}
    torch.manual_seed(spec.train.seed)
    built = build_listener(model)
    measured(built, framed_batches(parts["train"], spec))
    if begun is not None:
        fill(Path(spec.train.start or ""), built, begun.model.state_dict())
    objective = text_of_speech(data.frames, data.vary, spec.train.smoothing)
    return Prepared(Job(built, spec, known, objective=objective, feed=SpeechFeed(**parts)), found)


def tokenizer_of(spec: RunSpec, found: RecordingSet) -> Tokenizer:
    """A tokenizer of the transcripts that are learnt from, a space before each word."""
    data = speech_of(spec)
    texts = ["\n".join([" ", *(f" {text.strip()}" for text in found.part(part).texts)]) for part in PARTS]
    return train_tokenizer(data.tokenizer, texts, data.vocabulary)


def shaped(asked: ListenerSpec, spec: RunSpec, tokenizer: Tokenizer) -> ListenerSpec:
    """The model's spec with the bands and tokens of the data, which its own must be where it names any."""
    bands = speech_of(spec).frames.bands
    for name, wanted, there in (("bands", asked.bands, bands), ("vocabulary", asked.vocabulary, tokenizer.size)):
        if wanted not in (0, there):
            raise UsageError(f"model.{name} is {wanted}, and the data has {there}: 0 (as many as there are) would work")
    return replace(asked, bands=bands, vocabulary=tokenizer.size)


def framed_batches(rows: SpeechRows, spec: RunSpec) -> Iterator[tuple[Tensor, Tensor]]:
    """Frames of recordings, a batch at a time."""
    for _, batch in every(rows, spec.train.eval_batch):
        yield framed(batch.waves, batch.lengths, speech_of(spec).frames)


def cost_of(job: Job) -> ModelCost:
    """Parameters and operations of one second of sound and one token."""
    model = job.model
    assert isinstance(model, Listener)
    frames = speech_of(job.spec).frames
    count = max(1, round(1000 / frames.step))
    inputs = [torch.zeros(1, count, frames.bands), torch.tensor([count]), torch.full((1, 1), model.mark)]
    was = model.training
    cost = summarise(model.eval(), inputs, attention=(MultiHeadAttention,))
    model.train(was)
    return cost


def announce(made: Prepared, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    spec, found, rows = made.job.spec, made.found, made.learnt
    sizes = ", ".join(f"{part} {len(found.part(part)):,}" for part in PARTS if len(found.part(part)))
    speakers = len(set(found.part("train").speakers) - {""})
    console.print(layers_table(cost))
    for line in (
        f"{spec.model.kind}: {cost.line()}",
        f"{short(cost.operations)} operations a second of sound, about three times that to learn",
        f"{found.name}: {sizes} recordings" + (f" of {speakers} speakers" if speakers else "") + f"; {found.split}",
        f"{rows.source.seconds / 60:,.1f} minutes to learn from at {found.rate:,} Hz; {made.job.tokenizer.kind} tokens of "
        f"{made.job.tokenizer.size:,} kinds; {rows.cut:,} transcripts are longer than {spec.model.context - 1} and cut",
    ):
        console.print(line, highlight=False, soft_wrap=True)


def fit(trainer: Trainer, run: Run, console: Console) -> None:
    """Train, average what was kept, and say what came of it and what can be done with it."""
    found = trainer.fit()
    mixed = average(trainer)
    if not trainer.main:
        return
    at = trainer.standing
    why = ", no better for a while" if found.stalled else ""
    for line in (
        f"{found.steps:,} steps in {found.seconds:,.0f} s{why}",
        mixed,
        f"best validation loss {at.best:.4f} nats a token at step {at.best_step:,}",
        f"saved in {run.path}: heedful evaluate {run.path} --split test; heedful predict {run.path} RECORDING",
    ):
        if line:
            console.print(line, highlight=False, soft_wrap=True)
