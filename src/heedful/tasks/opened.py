"""A model to be managed, with its tokenizer and the texts it is judged on: what the commands mean by RUN|MODEL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from heedful.data.sources import load_corpus
from heedful.data.text import Corpus
from heedful.errors import UsageError
from heedful.manage.saving.folders import PLAN_FILE
from heedful.models.checkpoint import load_checkpoint
from heedful.models.pretrained import is_pretrained, open_pretrained
from heedful.spec.classifier import ClassifierSpec
from heedful.spec.data import DataSpec
from heedful.tasks.loading import Loaded, load
from heedful.tasks.parts import Cut, Part, Parts, divided
from heedful.tasks.sequences import LONGEST, Reader, longest_of, next_token, reader_of
from heedful.train.run import Run

__all__ = ["Opened", "Part", "Parts", "opened"]
THIRDS = DataSpec(validation=0.66, test=0.33)  # of a text that no part of was learnt from


@dataclass(frozen=True, eq=False)
class Opened:
    """A model in evaluation mode, what it reads with, and sequences of `length` tokens at most; `source` says where they come from."""

    name: str
    model: nn.Module
    tokenizer: Any
    parts: Parts
    length: int
    source: str

    def sizes(self) -> str:
        """The parts in one line."""
        said = (f"{name} {len(part.rows)} x {self.length:,} tokens" for name, part in zip(Parts._fields, self.parts, strict=True))
        return f"{', '.join(said)}; from {self.source}"


def opened(target: str | Path, data: str | None = None, length: int | None = None, batch: int = 1, limit: int | None = None) -> Opened:
    """The model that `target` names, and disjoint batches of `length` tokens to measure, choose and judge it on.

    `target` is a run's folder, one of its checkpoints, a Hugging Face folder, or the name of a model (in the local cache; hf:NAME
    downloads it). Batches hold what the model is called with: a language model of ours reads `input_ids` and the next tokens as
    `labels`, a classifier of ours `ids`, `lengths` and `labels`, a Hugging Face model `input_ids`, `attention_mask` and `labels`. They are
    cut from the validation and test text of a run's own data, and from all of a text it has not learnt from.

    Arguments:
        data: a source as `--data` takes it (a table of texts and classes for a classifier); the run's own unless given.
        length: tokens of a sequence, of a text at most; the run's context, or as many as the model places, 1,024 at most.
        batch: sequences of a batch; limit: batches of each part at most, evenly spaced over it.

    Errors: `CheckpointError` for no model, `DataError` for a text that is too short, `UsageError` for lengths that do not fit.
    """
    for name, value in (("length", length), ("batch", batch), ("limit", limit)):
        if value is not None and value < 1:
            raise UsageError(f"--{name} is {value}: it must be 1 or more")
    path = Path(target).expanduser()
    if not (path.is_file() or (path.is_dir() and not is_pretrained(path))):
        return of_pretrained(str(target), data, length, batch, limit)
    spec = load_checkpoint(path).spec if path.is_file() else Run.open(path).spec
    return (of_classifier if isinstance(spec.model, ClassifierSpec) else of_generator)(path, data, length, batch, limit)


def of_generator(path: Path, data: str | None, length: int | None, batch: int, limit: int | None) -> Opened:
    """A run that goes on with texts."""
    return of_run(load(path), data, length, batch, limit)


def of_run(loaded: Loaded, data: str | None, length: int | None, batch: int, limit: int | None) -> Opened:
    """The same, loaded already."""
    most = loaded.model.limit
    size = length or (loaded.model.context if most is None else min(loaded.model.context, most))
    fitting(size, most, str(loaded.run.path))
    corpus = held_out(data, loaded.spec.texts)
    reader = Reader(loaded.tokenizer.encode, next_token, size + 1, size)
    parts = divided(corpus, reader, Cut(size, batch, limit, loaded.device))
    return Opened(str(loaded.run.path), loaded.model, loaded.tokenizer, parts, size, said(corpus.name, corpus.split))


def of_classifier(path: Path, data: str | None, length: int | None, batch: int, limit: int | None) -> Opened:
    """A run that classifies texts."""
    from heedful.tasks.classify.loading import load_classifier
    from heedful.tasks.labelled_parts import of_ours

    loaded = load_classifier(path)
    size = length or loaded.model.context
    fitting(size, loaded.model.context, str(loaded.run.path))
    parts, corpus = of_ours(loaded, data, Cut(size, batch, limit, loaded.device))
    return Opened(str(loaded.run.path), loaded.model, loaded.tokenizer, parts, size, said(corpus.name, corpus.split))


def of_pretrained(target: str, data: str | None, length: int | None, batch: int, limit: int | None) -> Opened:
    """A Hugging Face model."""
    found = open_pretrained(target)
    if data is None:
        raise UsageError(f"{target} is no run of ours and has no text of its own: --data names what it is measured on")
    most = longest_of(found)
    size = length or min(most or LONGEST, LONGEST)
    fitting(size, most, found.name)
    cut = Cut(size, batch, limit, found.model.device)
    if found.kind == "classifier":
        from heedful.tasks.labelled_parts import of_pretrained as labelled

        parts, texts = labelled(found, data, cut)
        return Opened(found.name, found.model, found.tokenizer, parts, size, said(texts.name, texts.split))
    corpus = held_out(data, None)
    parts = divided(corpus, reader_of(found, size), cut)
    planned = "; the weights without the plan that stands beside them" if (Path(target).expanduser() / PLAN_FILE).is_file() else ""
    return Opened(found.name, found.model, found.tokenizer, parts, size, said(corpus.name, corpus.split) + planned)


def fitting(length: int, most: int | None, name: str) -> None:
    """Refuse sequences that the model cannot place."""
    if most is not None and length > most:
        raise UsageError(f"--length is {length:,}: {name} places at most {most:,} tokens; {most:,} or fewer would work")


def held_out(data: str | None, own: DataSpec | None) -> Corpus:
    """The corpus whose validation and test parts the model has not learnt from; of a text that it never saw, all but a trace."""
    if own is not None and (data is None or learnt_from(own, data)):
        return load_corpus(own if data is None else replace(own, source=data))
    if data is None:
        raise UsageError("there is no text to measure on: --data names one")
    return load_corpus(replace(THIRDS, source=data))


def learnt_from(own: DataSpec, data: str) -> bool:
    """Whether any source of `data` is one that the run was trained on, under whatever name."""
    return bool(places(own.source) & places(data))


def places(source: str) -> set[str]:
    """The sources of a joined one, files and folders by where they really are."""
    return {str(Path(one).expanduser().resolve()) if Path(one).expanduser().exists() else one for one in source.split("+")}


def said(name: str, split: str) -> str:
    """Where the texts come from, in words."""
    return f"the validation and test text of {name} ({split})"
