"""A run's classifier, tokenizer and spec, ready to be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from heedful.data.labelled.rows import Rows, rows_of
from heedful.data.labelled.sources import load_labelled
from heedful.data.labelled.texts import LabelledCorpus, Texts
from heedful.data.tokens import Tokenizer
from heedful.models.classifier import Classifier
from heedful.models.classifiers import build_classifier
from heedful.spec.task import RunSpec
from heedful.tasks.classify.calibrate import temperature_in
from heedful.tasks.restored import restored
from heedful.train.run import Run


@dataclass(frozen=True)
class LoadedClassifier:
    """What a run has learnt: its best model, in evaluation mode, what it reads with, and how its scores are cooled."""

    run: Run
    model: Classifier
    tokenizer: Tokenizer
    spec: RunSpec
    temperature: float = 1.0

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def corpus(self, data: str | None = None) -> LabelledCorpus:
        """The run's own texts, or other data read the same way (its columns found anew)."""
        own = self.spec.texts
        spec = own if data is None else replace(own, source=data, text=None, label=None, folds=None, fold=0, share=1.0)
        return load_labelled(spec)

    def rows(self, texts: Texts) -> Rows:
        """Texts as the model reads them."""
        return rows_of(texts, self.model.labels, self.tokenizer, self.model.context, self.spec.texts.keep)


def load_classifier(path: Path) -> LoadedClassifier:
    """The best checkpoint of a run, or the checkpoint itself where `path` is a file.

    Errors: `CheckpointError` for a folder that is no run, or a checkpoint that is missing, cut short or of another model.
    """
    found = restored(path, build_classifier)
    found.model.windowed = found.spec.texts.keep == "windows"
    return LoadedClassifier(found.run, found.model, found.tokenizer, found.spec, temperature_in(found.checkpoint))
