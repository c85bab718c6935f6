"""A run that reads one text and writes another: its model, tokenizer and spec, ready to be used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from heedful.data.pairs.pairs import PairCorpus
from heedful.data.pairs.sources import load_pairs
from heedful.data.tokens import Tokenizer
from heedful.models.seq2seq.build import build_seq2seq
from heedful.models.seq2seq.sequence import Seq2Seq
from heedful.spec.check import SpecError
from heedful.spec.pairs import PairSpec
from heedful.spec.task import RunSpec
from heedful.tasks.restored import restored
from heedful.train.run import Run


@dataclass(frozen=True)
class LoadedSeq2Seq:
    """What a run has learnt: its best model, in evaluation mode, and what it reads with."""

    run: Run
    model: Seq2Seq
    tokenizer: Tokenizer
    spec: RunSpec

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    @property
    def pairs(self) -> PairSpec:
        """The data of the run."""
        return pairs_of(self.spec)

    def corpus(self, data: str | None = None) -> PairCorpus:
        """The run's own pairs, or other data read the same way (the columns of a table found anew)."""
        spec = self.pairs if data is None else replace(self.pairs, source=data, text=None, target=None, limit=None)
        return load_pairs(spec)


def load_seq2seq(path: Path) -> LoadedSeq2Seq:
    """The best checkpoint of a run, or the checkpoint itself where `path` is a file.

    Errors: `CheckpointError` for a folder that is no run, or a checkpoint that is missing, cut short or of another model.
    """
    found = restored(path, build_seq2seq)
    return LoadedSeq2Seq(found.run, found.model, found.tokenizer, found.spec)


def pairs_of(spec: RunSpec) -> PairSpec:
    """The data, if it is pairs; `SpecError` if it is of another kind."""
    if not isinstance(spec.data, PairSpec):
        raise SpecError("data.kind", f"wants pairs for the task {spec.task}, found {spec.data.kind}")
    return spec.data
