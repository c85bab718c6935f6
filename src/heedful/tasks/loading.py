"""A run's model, tokenizer and spec, ready to be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from heedful.data.sources import load_corpus
from heedful.data.text import Corpus
from heedful.data.tokens import Tokenizer
from heedful.models.build import build
from heedful.models.language_model import LanguageModel
from heedful.spec.task import RunSpec
from heedful.tasks.restored import restored
from heedful.train.run import Run


@dataclass(frozen=True)
class Loaded:
    """What a run has learnt: its best model, in evaluation mode, and what it reads with."""

    run: Run
    model: LanguageModel
    tokenizer: Tokenizer
    spec: RunSpec

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def corpus(self, data: str | None = None) -> Corpus:
        """The run's own text, or other data read the same way."""
        spec = self.spec.texts if data is None else replace(self.spec.texts, source=data)
        return load_corpus(spec)


def load(path: Path) -> Loaded:
    """The best checkpoint of a run, or the checkpoint itself where `path` is a file.

    Errors: `CheckpointError` for a folder that is no run, or a checkpoint that is missing, cut short or of another model.
    """
    found = restored(path, build)
    return Loaded(found.run, found.model, found.tokenizer, found.spec)
