"""A run's matcher, tokenizer and spec, with its index, ready to be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import Float

from heedful.data.labelled.texts import Texts
from heedful.data.questions.corpus import Questions
from heedful.data.questions.feed import every
from heedful.data.questions.reading import Reading, read
from heedful.data.questions.sources import load_questions
from heedful.data.tokens.grams import Grams
from heedful.errors import CheckpointError
from heedful.models.checkpoint import digest
from heedful.models.matcher.matcher import Matcher, build_matcher
from heedful.spec.check import SpecError
from heedful.spec.questions import QuestionSpec
from heedful.spec.task import RunSpec
from heedful.tasks.match.index.store import Store
from heedful.tasks.restored import restored
from heedful.train.metrics import moved
from heedful.train.run import Run

BATCH: Final = 128
INDEX: Final = "index"  # the folder within a run's


@dataclass(frozen=True)
class LoadedMatcher:
    """What a run has learnt, in evaluation mode, and what it reads with."""

    run: Run
    model: Matcher
    grams: Grams
    spec: RunSpec

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.scales.device

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes that were learnt."""
        return self.model.spec.labels

    @cached_property
    def sha(self) -> str:
        """What tells this model's vectors from another's."""
        return digest({name: tensor.cpu() for name, tensor in self.model.state_dict().items()})

    @property
    def store(self) -> Store:
        """Where its index is."""
        return Store(self.run.path / INDEX)

    def questions(self, data: str | None = None) -> Questions:
        """The run's own questions, or others (their columns found anew)."""
        spec = questions_of(self.spec)
        return load_questions(spec if data is None else replace(spec, source=data, question=None, answer=None))

    def reading(self, texts: Sequence[str], labels: Sequence[str] = ()) -> Reading:
        """Texts as the model reads them."""
        return read(Texts(tuple(texts), tuple(labels) or ("",) * len(texts)), self.labels, self.grams, self.model.context)

    @torch.inference_mode()
    def vectors(self, texts: Sequence[str]) -> Float[np.ndarray, "n d"]:
        """The attentive and the lexical vector of each text, one after the other."""
        spec = self.model.spec
        found = torch.zeros(len(texts), spec.attentive + spec.lexical)
        if texts:
            for places, batch in every(self.reading(texts), BATCH):
                towered = self.model.tower(moved(batch, self.device))
                found[places] = torch.cat([towered.attentive, towered.lexical], dim=1).float().cpu()
        return found.numpy()


def load_matcher(path: Path) -> LoadedMatcher:
    """The best checkpoint of a run, or the checkpoint itself where `path` is a file.

    Errors: `CheckpointError` for a folder that is no run, or a checkpoint that is missing, cut short or of another model.
    """
    found = restored(path, build_matcher)
    if not isinstance(found.tokenizer, Grams):
        raise CheckpointError(f"{found.file}: a matcher reads runs of characters, and its tokenizer is of the kind {found.tokenizer.kind}")
    return LoadedMatcher(found.run, found.model, found.tokenizer, found.spec)


def questions_of(spec: RunSpec) -> QuestionSpec:
    """The data, if it is questions; `SpecError` if it is of another kind."""
    if not isinstance(spec.data, QuestionSpec):
        raise SpecError("data.kind", f"wants questions for the task match, found {spec.data.kind}")
    return spec.data
