"""From a spec to a job: pictures in bytes, their texts as tokens, and a model of that size and those tokens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from rich.console import Console
from torch import nn

from heedful.cost.summary import ModelCost, short, summarise
from heedful.data.captions.batches import CaptionBatch, caption_batch, every_text
from heedful.data.captions.captions import CaptionSet
from heedful.data.captions.sources import load_captions
from heedful.data.images.batches import PictureFeed
from heedful.data.tokens import Tokenizer, train_tokenizer
from heedful.errors import UsageError
from heedful.layers.multihead import MultiHeadAttention
from heedful.models.caption.build import build_captioner, captioning
from heedful.models.caption.captioning import Captioning
from heedful.models.checkpoint import fill
from heedful.models.vision.picture_model import measured
from heedful.spec.captioner import CaptionSpec
from heedful.spec.captions import CaptionDataSpec
from heedful.spec.task import RunSpec
from heedful.tasks.caption.loading import captions_of, load_captioner
from heedful.tasks.training import layers_table
from heedful.train.captions import words_of_picture
from heedful.train.job import Job
from heedful.train.loop import Trainer
from heedful.train.run import Run


class Prepared(NamedTuple):
    """A job, and the captions it was made of."""

    job: Job
    captions: CaptionSet


def prepared(spec: RunSpec, tokenizer: Tokenizer | None = None) -> Prepared:
    """The pictures and texts as one batch a part, and a model for them; `tokenizer` is the run's own where it goes on.

    Errors: those of data and specs, and `UsageError` for a model that describes no pictures, or of another size than they are.
    """
    asked, data = captioning(spec.model), captions_of(spec)
    found = load_captions(data, ("train", "validation"))
    begun = None if tokenizer or spec.train.start is None else load_captioner(Path(spec.train.start))
    known = begun.tokenizer if begun else tokenizer or tokenizer_of(data, found)
    spec = replace(spec, model=shaped(asked, found, known))
    parts = {part: caption_batch(found.parts[part], known, spec.model.context) for part in ("train", "validation")}
    torch.manual_seed(spec.train.seed)
    model = build_captioner(spec.model)
    measured(model, found.parts["train"].pixels)
    if begun is not None:
        fill(Path(spec.train.start or ""), model, begun.model.state_dict())
    feed = PictureFeed[CaptionBatch](**parts)
    return Prepared(Job(model, spec, known, objective=words_of_picture(spec.train.smoothing), feed=feed), found)


def tokenizer_of(data: CaptionDataSpec, found: CaptionSet) -> Tokenizer:
    """A tokenizer of all texts to learn from; one of characters knows those of the validation part too."""
    texts = every_text([part for part in found.parts.values() if len(part)])
    spaced = ["\n".join(f" {line}" for line in text.split("\n")) for text in texts]
    return train_tokenizer(data.tokenizer, spaced, data.vocabulary)


def shaped(asked: CaptionSpec, found: CaptionSet, tokenizer: Tokenizer) -> CaptionSpec:
    """The model's spec with the size, channels and tokens of the data, which its own must be where it names any."""
    _, channels, size, _ = found.parts["train"].pixels.shape
    wanted = (("size", asked.size, size), ("channels", asked.channels, channels), ("vocabulary", asked.vocabulary, tokenizer.size))
    for name, given, there in wanted:
        if given not in (0, there):
            raise UsageError(f"model.{name} is {given}, and the data has {there}: 0 (as it has) would work")
    return replace(asked, size=size, channels=channels, vocabulary=tokenizer.size)


def cost_of(model: nn.Module) -> ModelCost:
    """Parameters and operations of one picture and one text as long as the context."""
    assert isinstance(model, Captioning)
    picture = torch.rand(1, model.channels, model.size, model.size, generator=torch.Generator().manual_seed(0))
    was = model.training
    cost = summarise(model.eval(), [picture, torch.zeros(1, 1, model.context, dtype=torch.long)], attention=(MultiHeadAttention,))
    model.train(was)
    return cost


def announce(found: Prepared, cost: ModelCost, console: Console) -> None:
    """What will be trained on what, before it is."""
    spec, captions = found.job.spec, found.captions
    train = captions.parts["train"]
    sizes = ", ".join(f"{name} {len(part):,}" for name, part in captions.parts.items() if len(part))
    texts = sum(len(each) for each in train.texts) / max(1, len(train))
    console.print(layers_table(cost))
    for line in (
        f"{spec.model.kind}: {cost.line()}",
        f"{short(cost.operations)} operations a picture and a text of {spec.model.context} tokens, about three times that to learn",
        f"{captions.name}: {sizes} pictures, {texts:.1f} texts each; {captions.split}",
        f"never together while learning: {', '.join(captions.apart)}" if captions.apart else "",
        f"{found.job.tokenizer.kind} tokens of {found.job.tokenizer.size:,} kinds",
    ):
        if line:
            console.print(line, highlight=False, soft_wrap=True)


def fit(trainer: Trainer, run: Run, console: Console) -> None:
    """Train, and say what came of it and what can be done with it."""
    found = trainer.fit()
    if not trainer.main:
        return
    why = ", no better for a while" if found.stalled else ""
    for line in (
        f"{found.steps:,} steps in {found.seconds:,.0f} s{why}: best validation loss {found.best:.4f} nats a token "
        f"at step {found.best_step:,}",
        f"saved in {run.path}: heedful evaluate {run.path} --split test; heedful predict {run.path} PICTURE --question 'TEXT'",
    ):
        console.print(line, highlight=False, soft_wrap=True)
